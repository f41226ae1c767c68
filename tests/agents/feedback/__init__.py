"""Tests of agents/feedback."""
