"""Makes image_quick: linear models on cheap features."""
