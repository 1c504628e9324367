"""Learns from everybody's choices what somebody with like tastes will choose."""
