"""Tests of agents/policies."""
