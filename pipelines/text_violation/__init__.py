"""How text_violation is made: composed sentences, hashed characters, a linear model, a gold file."""
