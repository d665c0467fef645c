"""Outgoing webhooks: other systems are told that something changed, and ask the API what."""
