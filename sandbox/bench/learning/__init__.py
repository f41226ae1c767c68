"""Benchmarks of learning: learners, learning curves, transfer, and reference returns."""
