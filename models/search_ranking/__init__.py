"""Orders results by what this user will probably like."""
