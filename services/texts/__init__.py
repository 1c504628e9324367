"""Words of Japanese and English: what a text is found by, and what a query asks for."""
