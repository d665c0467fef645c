"""Ownership: which guide looks after which member, and how members are handed over 客户归属."""
