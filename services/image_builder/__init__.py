"""Model-in-image: a registered version of a model becomes an image, without a Docker daemon or privileges."""
