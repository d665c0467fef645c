"""Weimob 微盟: what it pushes, what it is asked, and what it is told."""
