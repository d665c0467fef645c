"""Guides, the sales associates of the stores 导购."""
