"""Nothing here unpickles: the lint rules that say so bite, and what they can't see is looked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for floor in ("envs", "agents", "sandbox") for path in (ROOT / floor).rglob("*.py"))
LOADERS = {
    *("PPO", "A2C", "DQN", "SAC", "TD3", "DDPG", "IncrementalPPO", "VecNormalize"),
    *("BasePolicy", "ActorCriticPolicy", "BaseAlgorithm", "OnPolicyAlgorithm", "OffPolicyAlgorithm"),
}
"""Classes of Stable-Baselines3 whose `load` follows pickles."""
METHODS = {"load_replay_buffer", "read_pickle", "load_from_zip_file", "load_from_pkl", "recover_environment"}


def unsafe(source: str) -> list[str]:
    """Calls that follow a pickle, or run what a file names, whichever way they are written."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        parts = called.split(".")
        allowed = [k.value for k in node.keywords if k.arg == "allow_pickle"]
        if any(not (isinstance(one, ast.Constant) and one.value is False) for one in allowed):
            found.append(f"line {node.lineno}: allow_pickle")
        if parts[-1] == "load" and (parts[0] == "torch" or LOADERS & set(parts)):
            found.append(f"line {node.lineno}: {called}")
        if parts[-1] in METHODS or called in ("eval", "exec"):
            found.append(f"line {node.lineno}: {called}")
    return found


def test_no_file_calls_what_unpickles() -> None:
    assert len(FILES) > 100
    hits = {str(path): unsafe(path.read_text("utf-8")) for path in FILES}
    assert not {name: found for name, found in hits.items() if found}


@pytest.mark.parametrize(
    "line",
    [
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "numpy.lib.npyio.read_array(file, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=True)",
        "PPO.load(path)",
        "stable_baselines3.PPO.load(path)",
        "VecNormalize.load(path, env)",
        "model.load_replay_buffer(path)",
        "pd.read_pickle(path)",
        "dataset.recover_environment()",
        "eval(text)",
    ],
)
def test_the_rule_sees(line: str) -> None:
    assert unsafe(line)


@pytest.mark.parametrize(
    "line", ["np.load(path, allow_pickle=False)", "json.load(file)", "bundle.load(folder)"]
)
def test_the_rule_lets_pass(line: str) -> None:
    assert not unsafe(line)


BANNED = (
    "import pickle",
    "from pickle import loads",
    "import _pickle",
    "import cloudpickle",
    "import dill",
    "import shelve",
    "import marshal",
    "import jsonpickle",
    "import joblib",
    "from joblib import load",
    "from torch import load",
    "import torch\n\ntorch.load('x')",
    "from pandas import read_pickle",
    "from stable_baselines3.common.save_util import load_from_zip_file",
)


def test_ruff_refuses_each_of_them() -> None:
    """With the project's own rules, as `make lint` runs them."""
    passed = []
    for line in BANNED:
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--stdin-filename", "sandbox/made_up.py", "-"],
            cwd=ROOT,
            input=f'"""A module."""\n\n{line}\n',
            capture_output=True,
            text=True,
        )
        if "TID251" not in done.stdout and "S403" not in done.stdout and "S301" not in done.stdout:
            passed.append(line)
    assert not passed
