"""Learners from human feedback on Stable-Baselines3. Imports only envs."""
