"""The page: a person's timeline and an article's claims in, findings out."""
