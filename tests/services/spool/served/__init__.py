"""A package with one model, for MODEL_PACKAGES."""
