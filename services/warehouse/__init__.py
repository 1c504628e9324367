"""The warehouse: every event and every prediction, once, in files that are asked with SQL."""
