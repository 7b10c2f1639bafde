"""What changes something: one transaction each, who does it is always said, the audit line is written inside."""
