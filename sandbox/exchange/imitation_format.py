"""`imitation`: trajectory folders as the imitation library saves them (in only).

They are Hugging Face data sets: dataset_info.json, state.json and Arrow streams. The column `infos` is
jsonpickle, which runs code when decoded: it is never looked at.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from agents.io.safe_files import UnsafeFile, parse_json, read_bytes, shorten
from sandbox.exchange.episodes import Episode
from sandbox.exchange.isolated_parser import IsolatedParser, parser_or_new
from sandbox.exchange.ledger import ProgressCallback, no_progress

STATE = "state.json"
DATA_FILE = re.compile(r"[-\w]+\.arrow")
MOST_FILES = 1000


def read(
    path: Path, tell: ProgressCallback = no_progress, parser: IsolatedParser | None = None
) -> list[Episode]:
    """The trajectories of a folder. Raises UnsafeFile."""
    if path.is_symlink():
        raise UnsafeFile(f"{path} is a link: give the folder itself.")
    state = parse_json(read_bytes(path / STATE, 2**20), str(path / STATE))
    names = _data_files(state.get("_data_files"), path)
    if state.get("_indices_data_files"):
        raise UnsafeFile(f"{path} was saved with a selection of its rows: save it anew, flattened.")
    found: list[Episode] = []
    with parser_or_new(parser, "imitation") as reader:
        for number, name in enumerate(names):
            facts, arrays = reader.read("imitation", path / name)
            for row in range(facts["trajectories"]):
                title = f"trajectory {len(found)} of {path}"
                parts = {key: arrays.get(f"{row}.{key}") for key in ("obs", "acts", "rews", "terminal")}
                found.append(_episode(title, parts))
            tell((number + 1) / len(names), "reading Arrow apart")
    return found


def _data_files(state: Any, path: Path) -> list[str]:
    names: list[Any]
    fits = isinstance(state, list) and 0 < len(state) <= MOST_FILES
    names = [one.get("filename") if isinstance(one, dict) else None for one in state] if fits else []
    if not names:
        raise UnsafeFile(f"{path / STATE} lists no data files.")
    for name in names:
        if not isinstance(name, str) or not DATA_FILE.fullmatch(name):
            raise UnsafeFile(
                f"{path / STATE} names the file {shorten(name)}, which is not one in the folder."
            )
    return names


def _episode(name: str, parts: dict[str, Any]) -> Episode:
    obs, acts, rews = parts["obs"], parts["acts"], parts["rews"]
    if obs is None or acts is None or obs.ndim == 0 or len(obs) != len(acts) + 1:
        raise UnsafeFile(f"{name} has not one observation more than actions.")
    if rews is not None and rews.shape != (len(acts),):
        raise UnsafeFile(f"{name} has rewards of shape {list(rews.shape)} for {len(acts)} steps.")
    terminal = bool(parts["terminal"]) if parts["terminal"] is not None else False
    ends = [False] * (len(acts) - 1) + [terminal] if len(acts) else []
    return Episode(name, obs, acts, rewards=rews, terminations=np.array(ends, np.bool_))
