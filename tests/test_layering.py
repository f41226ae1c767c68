"""The shape of the house: three floors, imports go down only, and what must never be imported."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("envs", "agents", "sandbox")  # lowest first
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
LEARNING = ("torch", "stable_baselines3")
UNSAFE = ("pickle", "cloudpickle", "jsonpickle", "dill", "shelve", "marshal", "joblib", "_pickle")
MAY_READ_THE_TRUE_REWARD = (
    "agents/teachers/synthetic.py",
    "agents/teachers/experts.py",
    "agents/evaluation/reference_returns.py",
    "agents/evaluation/scores.py",
)
MAY_DRAW = (
    "plain_renderer.py",
    "render_common.py",
    "rooms_renderer.py",
    "lanes_renderer.py",
    "rover_renderer.py",
    "viewer.py",
)
LONGEST = 350


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, wherever it does, with its line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parent.parts
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def found(within: tuple[str, ...], modules: tuple[str, ...], *, but: tuple[str, ...] = ()) -> list[str]:
    """Where files of these floors import any of these modules; `but` names files that may."""
    return [
        f"{name(path)}:{line} imports {module}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] in within and path.name not in but
        for module, line in imports(path)
        if module.split(".")[0] in modules
    ]


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(FLOORS)


def test_imports_go_down_only() -> None:
    for height, floor in enumerate(FLOORS):
        assert not found((floor,), FLOORS[height + 1 :])
    assert not found(FLOORS, ("tests",))


def test_no_learning_library_in_envs() -> None:
    assert not found(("envs",), LEARNING)


def test_pygame_only_where_things_are_drawn() -> None:
    assert not found(("envs",), ("pygame",), but=MAY_DRAW)
    assert not found(("agents",), ("pygame",))


def test_nothing_that_can_run_code_from_a_file() -> None:
    assert not found(FLOORS, UNSAFE)
    hits = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            allowed = any(k.arg == "allow_pickle" and not _is_false(k.value) for k in node.keywords)
            loads_a_model = called.endswith(".load") and called.split(".")[0] in (*SB3_LOADERS, "torch")
            if allowed or loads_a_model:
                hits.append(f"{name(path)}:{node.lineno} calls {called}")
    assert not hits


SB3_LOADERS = ("PPO", "A2C", "DQN", "SAC", "TD3", "DDPG", "VecNormalize", "BasePolicy", "ActorCriticPolicy")


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_only_teachers_and_scores_read_the_true_reward() -> None:
    hits = [
        f"{name(path)}:{node.lineno}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] != "envs" and name(path) not in MAY_READ_THE_TRUE_REWARD
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "true_reward"
    ]
    assert not hits


MUST_NOT_REACH_THE_TRUE_REWARD = ("learners", "training", "rewards", "inference", "queries")
TRUE_REWARD_PACKAGES = ("agents.evaluation", "agents.teachers")


def module_files() -> dict[str, Path]:
    """The files of the product by the modules that they are."""
    return {name(path)[: -len(".py")].replace("/", ".").removesuffix(".__init__"): path for path in FILES}


def reached_from(start: str, files: dict[str, Path]) -> dict[str, tuple[str, ...]]:
    """Every module of the product that `start` imports, itself or through others, and on which way."""
    ways, ahead = {start: (start,)}, [start]
    while ahead:
        module = ahead.pop(0)
        for imported, _ in imports(files[module]):
            for found in (imported, imported.rpartition(".")[0]):
                if found in files and found not in ways:
                    ways[found] = (*ways[module], found)
                    ahead.append(found)
    return ways


def test_who_learns_never_reaches_the_true_reward() -> None:
    """Not even through others, nor through imports inside of functions."""
    files = module_files()
    starts = [m for m in files if m.split(".")[0] == "agents" and m.split(".")[1:2]]
    starts = [m for m in starts if m.split(".")[1] in MUST_NOT_REACH_THE_TRUE_REWARD]
    assert len(starts) > 40
    hits = [
        " -> ".join(way)
        for start in starts
        for found, way in reached_from(start, files).items()
        if found.startswith(TRUE_REWARD_PACKAGES)
    ]
    assert not hits


LIBRARY_OBJECTS = {
    "agents/torch_runtime.py": "torch's functions",
    "envs/code_digest.py": "values of other people's functions",
    "envs/external/external_simulation.py": "environments of other people",
    "envs/external/external_task.py": "environments of other people",
    "envs/external/make_task.py": "environments of other people",
    "envs/kernels.py": "numba's functions",
    "sandbox/store/postgres.py": "errors of the database's driver",
    "sandbox/store/salvage.py": "errors of the database's driver",
    "sandbox/store/store_errors.py": "errors of the database's driver",
}
"""Files that may ask an object of somebody else's library by name whether it has something."""


def test_no_contract_is_reached_by_name() -> None:
    """Protocols say what may be asked of an object of ours: nobody tries whether it has an attribute."""
    hits = [
        f"{name(path)}:{node.lineno} {ast.unparse(node)}"
        for path in FILES
        if name(path) not in LIBRARY_OBJECTS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("getattr", "hasattr")
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    ]
    assert not hits


def test_no_import_path_stands_in_a_string() -> None:
    """What is imported when it is needed is imported by a function, which tools can follow."""
    paths = re.compile(r"(envs|agents|sandbox)(\.\w+)+:\w+")
    hits = [
        f"{name(path)}:{node.lineno} {node.value}"
        for path in FILES
        if path.name != "registration.py"  # Gymnasium's registry takes paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and paths.fullmatch(node.value)
    ]
    assert not hits


def test_no_imports_go_round_in_a_circle() -> None:
    """Neither between files nor between rooms, with imports inside of functions and those for types alone."""
    files = module_files()
    arrows = {
        module: {
            one
            for imported, _ in imports(path)
            for one in (imported, imported.rpartition(".")[0])
            if one in files and one != module
        }
        for module, path in files.items()
    }
    arrows = {
        module: {one for one in found if not module.startswith(f"{one}.")} for module, found in arrows.items()
    }
    assert not list(circles(arrows))
    rooms: dict[str, set[str]] = {}
    for module, found in arrows.items():
        rooms.setdefault(room_of(module), set()).update(room_of(one) for one in found)
    assert not list(circles({room: found - {room} for room, found in rooms.items()}))


def room_of(module: str) -> str:
    """The folder of a floor that a module lies in; a loose file is a room of its own."""
    return ".".join(module.split(".")[:2])


def circles(arrows: dict[str, set[str]]) -> Iterator[list[str]]:
    """Each node that can be reached from itself, with a way."""
    for start in arrows:
        ways, ahead = {start: [start]}, [start]
        while ahead:
            here = ahead.pop(0)
            for there in arrows.get(here, ()):
                if there == start:
                    yield [*ways[here], start]
                    ahead.clear()
                    break
                if there not in ways:
                    ways[there] = [*ways[here], there]
                    ahead.append(there)


def test_no_two_files_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in FILES:
        places.setdefault(path.name, []).append(name(path))
    twice = {file: found for file, found in places.items() if len(found) > 1}
    assert list(twice) == ["__init__.py"]


def test_no_file_is_too_long() -> None:
    long = {name(path): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert not {path: lines for path, lines in long.items() if lines > LONGEST}


MODULES = """
import json, sys
for module in sys.argv[1:]:
    __import__(module)
print(json.dumps(sorted({module.split(".")[0] for module in sys.modules})))
"""


def imported_by(*modules: str) -> set[str]:
    """The top-level packages that a fresh process has loaded after importing these modules."""
    command = [sys.executable, "-c", MODULES, *modules]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "module",
    [
        "sandbox.window.app",
        "sandbox.cli",
        "sandbox.session.session",
        "agents.learner_catalog",
        "agents.teachers.synthetic",
        "envs.task_catalog",
    ],
)
def test_what_the_window_imports_has_no_torch(module: str) -> None:
    assert not imported_by(module) & set(LEARNING)


def test_every_scene_and_view_of_the_window_has_no_torch() -> None:
    parts = [
        name(path)[: -len(".py")].replace("/", ".").removesuffix(".__init__")
        for folder in ("play", "scenes", "screen", "session", "views", "window")
        for path in sorted((ROOT / "sandbox" / folder).rglob("*.py"))
    ]
    assert not imported_by(*parts) & set(LEARNING)


def test_worlds_need_no_screen() -> None:
    assert "pygame" not in imported_by(
        "envs.task_catalog", "envs.gym_env", "envs.external.external_simulation", "agents.teachers.synthetic"
    )
