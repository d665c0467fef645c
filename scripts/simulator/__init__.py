"""Youzan and Weimob for laptops and tests: an HTTP peer that pushes, is asked, and has faults.

A program of its own, made from the vendors' documentation. It shares no code with the connectors
and keeps its own totals, so that both sides can be held against each other.
"""
