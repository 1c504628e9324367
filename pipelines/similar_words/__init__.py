"""Makes similar_words: which words of Japanese and English stand together, as numbers."""
