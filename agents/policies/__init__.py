"""Policies as plain arrays: forward passes, distributions, CNNs, conversion from torch, and rollouts."""
