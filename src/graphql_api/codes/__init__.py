"""Codes that people scan 活码: what they stand for, and who came through which."""
