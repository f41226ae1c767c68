"""Tests of agents/inference."""
