"""Benchmarks of speed: worlds, PPO, start-up, and frame rate."""
