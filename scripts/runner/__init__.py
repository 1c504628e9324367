"""The local runner: compose.yaml as ordinary processes, and what the commands in `scripts/` do."""
