"""Tests of analytics_assets: one file per room, real parts only."""
