"""Documentation is run: Python blocks as they stand, commands at `--quick` scale; no command is unlisted."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from envs.task_catalog import task_ids
from sandbox.cli import cli
from sandbox.session.session import Session
from tests.sandbox.teaching import recorded

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
FOLLOWED = {"add-a-learner"}
"""Pages that a test of their own follows step by step."""
RUN = [page for page in PAGES if page.stem not in FOLLOWED]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(page.read_text()) if name == language]


def write_files(page: Path, folder: Path) -> None:
    """The files that a page has its reader write: blocks that begin with `# NAME`."""
    for text in (text for language in ("python", "toml") for text in blocks(page, language)):
        name = text.splitlines()[0].removeprefix("# ")
        if re.fullmatch(r"\w+\.(py|toml)", name):
            (folder / name).write_text(text)


def commands() -> list[str]:
    """Every `teachbox ...` line of a console block, once."""
    lines = [line for page in RUN for text in blocks(page, "console") for line in text.splitlines()]
    found = [line.removeprefix("$ ").split("  #")[0].strip() for line in lines if line.startswith("$ ")]
    return sorted({line for line in found if line.split()[0] == "teachbox"})


SESSIONS = {"session", "other"}
"""Folders that commands in the docs speak of as sessions that are there."""


def make_session(folder: Path) -> None:
    with Session.open(folder, start_learner=False) as session:
        for seed in range(2):
            session.add_demonstration(recorded(session.task, 15, seed=seed))


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_DATA_HOME": str(folder), "SDL_VIDEODRIVER": "dummy"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(folder)])
    return subprocess.run(arguments, cwd=folder, env=env, capture_output=True, text=True, timeout=500)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_python_in_the_docs_runs(page: Path, tmp_path: Path) -> None:
    source = "\n".join(blocks(page, "python"))
    if not source:
        return
    write_files(page, tmp_path)
    (tmp_path / "page.py").write_text(source)
    done = run([sys.executable, "page.py"], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("line", commands())
def test_commands_in_the_docs_run(line: str, tmp_path: Path) -> None:
    arguments = shlex.split(line)[1:]
    for name in SESSIONS & set(arguments):
        make_session(tmp_path / name)
    done = run([sys.executable, "-m", "sandbox", *arguments, *["--quick"] * takes_quick(arguments)], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


def takes_quick(arguments: list[str]) -> bool:
    """Whether the command that a line runs has the option (the window's is hidden)."""
    command: Any = typer.main.get_command(cli)
    for word in arguments:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
    return any("--quick" in parameter.opts for parameter in command.params)


def test_every_command_has_its_line() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    named = [c.name or c.callback.__name__ for c in cli.registered_commands if c.callback and not c.hidden]
    named += [g.name or "" for g in cli.registered_groups if not g.hidden]
    missing = [name for name in named if f"`teachbox {name}" not in page]
    assert not missing, f"docs/commands.md has no line for {missing}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_every_world_has_its_line_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [name for name in task_ids() if f"| `{name}` |" not in readme]
    assert not missing, f"the README has no line for {missing}"


def test_files_that_the_architecture_names_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    floors = ("envs", "agents", "sandbox")
    there = {path.name for floor in (*floors, "tests") for path in (ROOT / floor).rglob("*.py")}
    paths = re.findall(r"`([\w/]+\.py)`", page)
    missing = [path for path in paths if not ((ROOT / path).exists() or ("/" not in path and path in there))]
    assert paths
    assert not missing
    for folder in re.findall(r"^\| `(\w+/)`", page, re.MULTILINE):
        assert any((ROOT / floor / folder).is_dir() for floor in floors), folder


def test_what_the_architecture_names_is_in_the_files_beside_it() -> None:
    """In the table of changes, each function or class stands in a file that its row names."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.split("## Where to change what")[1].split("\n## ")[0]
    missing = []
    n_names = 0
    for row in (line for line in table.splitlines() if line.startswith("| ") and "---" not in line):
        paths: list[str] = re.findall(r"`([\w/]+\.py)`", row)
        sources = [one.read_text() for path in paths for one in _files_named(path)]
        sources += [one.read_text() for one in _patterns_in(row)]
        names: list[str] = re.findall(r"`(\w+)`", row)
        n_names += len(names)
        missing += [f"{name}: {row[:60]}" for name in names if not any(_has_word(s, name) for s in sources)]
    assert n_names > 15
    assert not missing


def _files_named(path: str) -> list[Path]:
    """The file at a path, or those of a name alone, wherever they lie."""
    if "/" in path:
        return [ROOT / path]
    return [one for floor in ("envs", "agents", "sandbox") for one in (ROOT / floor).rglob(path)]


def _patterns_in(row: str) -> list[Path]:
    """The files that `<world>_tasks.py`, `agents/rewards/*.py` or a folder stand for."""
    found = re.findall(r"`([\w/]*(?:<\w+>|\*)\w*\.py|[\w/]+/)`", row)
    patterns = [re.sub(r"<\w+>", "*", one) + ("*.py" if one.endswith("/") else "") for one in found]
    return [
        one for pattern in patterns for one in ROOT.glob(pattern if "/" in pattern else f"envs/*/{pattern}")
    ]


def _has_word(source: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", source) is not None


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """With the reference made of the docstrings."""
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=env, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "BaseLearner" in (tmp_path / "site" / "reference" / "learners" / "index.html").read_text()


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
