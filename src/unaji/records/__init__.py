"""A person's timeline, as facts."""
