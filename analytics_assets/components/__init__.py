"""Components for `dg`: an API described in YAML."""
