"""The report's pictures, drawn as SVG on the server, each for a phone and for a desktop width."""
