"""Retrains the heads of a model on data that somebody brings, and registers a challenger named by that data."""
