"""The host that answers when it can: workers that screen every registered item."""
