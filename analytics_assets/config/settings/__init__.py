"""Settings: those of dlt's providers, by group."""

from analytics_assets.config.settings.providers.run_context import plug_run_context

plug_run_context()  # before anything is looked up, in each process
