"""How input_assist is made: composed texts cut off while they are typed, hashed characters, a linear model."""
