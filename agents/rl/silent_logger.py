"""A logger for models of Stable-Baselines3 that writes nothing."""

from __future__ import annotations

from stable_baselines3.common.logger import Logger


def silent_logger() -> Logger:
    """A logger without a folder. A model without a logger makes a new temporary folder at each `learn`."""
    return Logger(folder=None, output_formats=[])
