"""Places of settings, as dlt's providers: the environment, files of one secret each, `.dlt/`."""
