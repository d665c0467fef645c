"""Requests that carry a key: each is done at most once, and its answer can be asked for again."""
