"""Tests of agents/rewards."""
