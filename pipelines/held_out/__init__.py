"""Draws items that no model was trained on, to be pushed through a running platform."""
