"""similar_words: Japanese and English words in one space, learnt from what stands together."""
