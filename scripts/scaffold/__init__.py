"""Makes a new predictor from templates."""
