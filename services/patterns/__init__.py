"""How predictions are wrapped: one pattern, one file, each a plain function from Predict to Predict."""
