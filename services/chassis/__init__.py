"""What every service shares: settings, HTTP, workers, health, logs, metrics, errors."""
