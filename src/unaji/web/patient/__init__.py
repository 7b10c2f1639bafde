"""The person's screens."""
