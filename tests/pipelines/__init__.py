"""Tests of the pipelines and of what they share."""
