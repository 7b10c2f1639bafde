"""A person's rows on disk: added to in whole steps, never doubled, undone batch by batch, read by time."""
