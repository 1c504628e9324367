"""People who are made up, with tastes that only this program knows, so that a ranker can be judged by the truth."""
