"""Agents as files: bundles, Stable-Baselines3 zips, and safe reading. Nothing that a file holds is run."""
