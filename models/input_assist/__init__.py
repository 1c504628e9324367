"""What is somebody about to register? Guessed from a title and a description while they are typed."""
