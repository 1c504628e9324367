"""Makes models: at start what has no champion, later on demand."""
