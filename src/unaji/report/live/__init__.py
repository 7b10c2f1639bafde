"""What makes the page answer to a finger: a chart to move in, causes to switch, exposures to choose."""
