"""Gymnasium worlds of other people as tasks: opened, stepped with care, and checked for determinism."""
