"""Alerts: one message per incident, and one for its end, to the receivers of the settings."""
