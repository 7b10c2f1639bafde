"""The report on a person's records: what there is, day by day, and what looks wrong."""
