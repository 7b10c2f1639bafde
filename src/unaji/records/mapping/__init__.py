"""Any table, by a mapping that says what its columns are: read, written, guessed, found again and applied."""
