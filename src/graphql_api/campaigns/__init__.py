"""Campaigns: what headquarters plans, stores take up and members take part in 活动."""
