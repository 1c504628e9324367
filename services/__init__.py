"""How models are served: one folder, one process."""
