"""Settings: those of dlt's providers, by group."""
