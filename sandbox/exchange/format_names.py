"""The formats by the words that the command line takes; what they are: sandbox/exchange/formats.py."""

from __future__ import annotations

from typing import Literal

WrittenFormat = Literal["bundle", "csv", "parquet", "cpl", "minari", "minari-arrow", "agent", "sb3"]
ReadFormat = Literal["bundle", "csv", "parquet", "cpl", "minari", "agent", "sb3", "imitation"]
