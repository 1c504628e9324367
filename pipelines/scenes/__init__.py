"""Draws the pictures that the image models learn from."""
