"""Learns from clicks, long views and likes in which order people want results."""
