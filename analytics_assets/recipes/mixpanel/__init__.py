"""Raw events, counts by day, profiles and cohorts, by Mixpanel."""
