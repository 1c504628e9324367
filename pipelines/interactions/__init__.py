"""What people did with what they were shown, as the rankers learn from it."""
