"""Tests of the tracking server."""
