"""Tests of agents/io."""
