"""A fast first look at a picture: a rough category, and the violations that nobody can miss."""
