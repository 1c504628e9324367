"""What a model is: its contract, its features, its card. Neither torch nor FastAPI."""
