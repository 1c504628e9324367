"""The batch host: scheduled jobs over tables."""
