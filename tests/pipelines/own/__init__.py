"""Bringing one's own data."""
