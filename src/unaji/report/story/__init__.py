"""Findings in sentences: what the terminal and the page say, in the order they say it."""
