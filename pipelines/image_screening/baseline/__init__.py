"""The baseline of image_screening: a small network that starts from nothing."""
