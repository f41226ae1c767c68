"""Benchmarks: speed, learning, durability, and the reports that are made of their figures."""
