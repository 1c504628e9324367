"""How models are made: one folder a model, one file a stage."""
