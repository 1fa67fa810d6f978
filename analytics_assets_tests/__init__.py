"""Tests of analytics_assets: one file per module, real parts only."""
