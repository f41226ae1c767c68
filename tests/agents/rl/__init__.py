"""Tests of agents/rl."""
