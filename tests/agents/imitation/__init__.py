"""Tests of agents/imitation."""
