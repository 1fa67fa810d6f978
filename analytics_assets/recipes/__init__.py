"""APIs of vendors: `analytics-assets new NAME --recipe VENDOR` copies a folder into `defs/`."""
