"""Events, sessions and statistics by day, by Umami."""
