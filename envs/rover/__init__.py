"""Rover: open ground with hills, rocks and puddles, and a cargo that must not be shaken."""
