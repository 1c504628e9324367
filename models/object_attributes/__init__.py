"""What a picture shows besides its category: how many things, where, how bright, indoors or outdoors."""
