"""Wishes that no named term expresses, and how well learners do by them."""
