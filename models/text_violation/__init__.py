"""Is a text spam or abuse? Japanese and English."""
