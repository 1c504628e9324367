"""Says what somebody will probably like, from what people with like tastes chose."""
