"""Tracking and model registry."""
