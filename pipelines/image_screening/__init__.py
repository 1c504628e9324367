"""Makes image_screening: learnt heads on a frozen, pretrained network."""
