"""Tests of agents/learners."""
