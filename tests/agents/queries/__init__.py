"""Tests of agents/queries."""
