"""Bulk operations: a whole list and what stands below it, written to a file in the background."""
