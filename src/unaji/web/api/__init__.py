"""The API: what a person's own devices and shortcuts may do for them, with a token and without cookies."""
