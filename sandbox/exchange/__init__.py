"""Feedback and agents, in and out, in the formats of others and one of our own; see docs/exchange.md.

What comes from a file is bounded before it is read, is never unpickled, and is checked against the
session's world before any of it is saved.
"""
