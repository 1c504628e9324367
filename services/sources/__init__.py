"""Where predictions come from: a model fetched from the registry, or another host."""
