"""A learner starts without torch's compiler, and learns as it would with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from agents.learner_catalog import make
from envs.task_catalog import task
learner = make("joint", task("teachbox/RoomsTidy-v0", size=9), seed=0)
learner.step()
assert learner.snapshot().policy is not None
print("torch._dynamo" in sys.modules)
"""


def test_a_learner_does_not_import_torchs_compiler() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.split() == ["False"], done.stderr
