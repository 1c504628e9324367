"""Finds published items: by words, by category, by a similar picture."""
