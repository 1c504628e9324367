"""Documents tell what the code does."""
