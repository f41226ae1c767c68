"""Learners in worlds of somebody else's."""
