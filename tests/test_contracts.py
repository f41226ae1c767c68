"""Contracts that are written down: public functions name what they take, and no caller asks for a class."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from envs import task_catalog
from envs.external.make_task import make_external_task
from envs.simulate import simulate
from envs.world import Task
from sandbox.session.folder import SessionError
from sandbox.session.opening import preview
from sandbox.session.session_options import SessionOptions
from tests.test_layering import FILES, ROOT, name

UNTYPED = ("Any", "object")
OF_LIBRARIES = {
    "agents/rl/ppo.py:IncrementalPPO.learn": "overrides Stable-Baselines3's PPO.learn, and always raises",
    "agents/rl/replay_buffer.py:RelabelledBuffer.__init__": "hands on what SB3's ReplayBuffer takes",
    "agents/rl/vec_env.py:SimulationVecEnv.env_method": "SB3's VecEnv declares it so",
}
"""Public functions that take keywords of any type, because a library's base class does."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(tree: ast.AST, of: str = "") -> Iterator[tuple[str, Function]]:
    """Functions and methods that others may call, by qualified name; none that stand inside a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node, f"{of}{node.name}.")
        elif isinstance(node, Function) and (not node.name.startswith("_") or node.name.endswith("__")):
            yield f"{of}{node.name}", node


def takes_anything(function: Function) -> bool:
    """Whether it has a parameter `**name` of any type."""
    kwarg = function.args.kwarg
    return kwarg is not None and (kwarg.annotation is None or ast.unparse(kwarg.annotation) in UNTYPED)


def test_no_public_function_takes_keywords_of_any_type() -> None:
    found = {
        f"{name(path)}:{function}"
        for path in FILES
        for function, node in public_functions(ast.parse(path.read_text("utf-8")))
        if takes_anything(node)
    }
    assert found == set(OF_LIBRARIES)


def task_classes() -> dict[str, str]:
    """The classes of the product that are kinds of Task, and the files that define them."""
    found: dict[str, str] = {}
    classes = {
        node.name: ([ast.unparse(base) for base in node.bases], path.relative_to(ROOT).as_posix())
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    while more := {
        one: file
        for one, (bases, file) in classes.items()
        if one not in found and {"Task", *found} & set(bases)
    }:
        found |= more
    return found


def test_nobody_asks_what_kind_of_task_it_is() -> None:
    """What differs between kinds of tasks is a property or a hook of Task; only its own room names a kind."""
    kinds = task_classes()
    assert "ExternalTask" in kinds
    hits = [
        f"{name(path)}:{node.lineno} {node.id}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name)
        and node.id in kinds
        and not name(path).startswith(kinds[node.id].rpartition("/")[0] + "/")
    ]
    assert not hits


@pytest.fixture
def pole() -> Task:
    return make_external_task("CartPole-v1")


def test_a_task_says_what_its_environment_takes_and_gives(pole: Task) -> None:
    rooms = task_catalog.task("teachbox/RoomsTidy-v0", observation="pixels")
    ((at, shape),) = rooms.obs_images
    assert (at, int(np.prod(shape))) == (0, len(rooms.world.obs_names))
    picture = np.full(shape, 255, np.uint8)
    flat, single = rooms.flat_observations(picture)
    assert single
    assert flat.shape == (1, picture.size)
    assert (flat == 1.0).all()
    assert rooms.flat_observations(np.stack([picture] * 3))[0].shape == (3, picture.size)
    with pytest.raises(ValueError, match=r"has \d+ numbers, not 7"):
        rooms.flat_observations(np.zeros(7))

    assert pole.obs_images == ()
    flat, single = pole.flat_observations(np.ones(4, np.float32))
    assert single
    assert flat.tolist() == [[1.0, 1.0, 1.0, 1.0, 0.0]]  # the last number says that the episode has ended
    flat, single = pole.flat_observations(np.ones((2, 4), np.float32))
    assert (flat.shape, single) == ((2, 5), False)
    assert pole.env_action(1) == 1
    assert not pole.keeps_frames


class Unseen(gymnasium.Env[np.ndarray, int]):
    """An environment that cannot draw itself."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)


def test_a_task_without_pictures_can_not_be_shown(pole: Task) -> None:
    assert pole.can_be_shown
    assert task_catalog.task("teachbox/LanesMerge-v0").can_be_shown
    assert not replace(pole, can_render=False).can_be_shown  # type: ignore[call-arg]
    gymnasium.register("tests/Unseen-v0", entry_point=lambda: Unseen())
    try:
        with pytest.raises(SessionError, match="has no render mode 'rgb_array'"):
            preview(None, SessionOptions(world="tests/Unseen-v0"))
    finally:
        del gymnasium.registry["tests/Unseen-v0"]


def test_what_runs_a_task_is_a_hook_of_its_world(pole: Task) -> None:
    """Another package's world may bring its own simulation, and no class of ours is needed for it."""
    asked: list[tuple[int, int, bool, bool]] = []
    rooms = task_catalog.task("teachbox/RoomsTidy-v0")

    def own(task: Task, rows: int, seed: int, auto_reset: bool, skip_absorbing: bool) -> object:
        asked.append((rows, seed, auto_reset, skip_absorbing))
        return "mine"

    world = replace(rooms.world, hooks=replace(rooms.world.hooks, simulation=own))
    found: object = simulate(replace(rooms, world=world), 3, seed=7, skips=True)
    assert found == "mine"
    assert asked == [(3, 7, True, True)]
    assert simulate(pole, 2).obs.shape == (2, 5)
