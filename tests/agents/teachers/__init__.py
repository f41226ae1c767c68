"""Tests of agents/teachers."""
