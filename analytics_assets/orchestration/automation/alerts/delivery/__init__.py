"""Messages and their delivery: what a receiver reads, and which ones have it."""
