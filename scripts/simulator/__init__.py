"""Youzan, Weimob and WeChat for laptops and tests: pushing, being asked, and having faults.

A program of its own, made from the vendors' documentation. It shares no code with the connectors
and keeps its own totals, so that both sides can be held against each other.
"""
