"""The prediction log's spool: what was answered, on this machine's disk until the broker has it."""
