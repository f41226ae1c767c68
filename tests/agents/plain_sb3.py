"""Stable-Baselines3 by itself: a zip of ours in a process where nothing of ours is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

_PREDICT = """
import sys, numpy as np
from stable_baselines3 import PPO
acts, _ = PPO.load(sys.argv[1], device="cpu").predict(np.load(sys.argv[2]), deterministic=True)
assert not {"agents", "envs", "sandbox"} & set(sys.modules)
np.save(sys.argv[3], acts)
"""


def predicted(path: Path, obs: Any) -> Any:
    """The greedy actions of the PPO in the zip at `path`, for observations [N, ...]."""
    seen, acts = path.with_name("obs.npy"), path.with_name("acts.npy")
    np.save(seen, obs)
    words = [sys.executable, "-c", _PREDICT, str(path), str(seen), str(acts)]
    done = subprocess.run(words, cwd=path.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.load(acts)
