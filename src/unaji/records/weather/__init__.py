"""Weather of the person's place: files of the services that keep it, and fetching them."""
