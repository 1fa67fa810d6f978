"""Events, sessions, persons and counts by day, by PostHog."""
