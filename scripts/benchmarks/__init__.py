"""What the platform does, measured: every figure of the README is printed by one of these."""
