"""Draws and writes the items that a demo starts with."""
