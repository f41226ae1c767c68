"""The formats by name, and which of them a path seems to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from envs.world import Task
from sandbox.exchange.format_names import ReadFormat, WrittenFormat
from sandbox.exchange.importing import save_records, session_task
from sandbox.exchange.ledger import Entry, Ledger, ProgressCallback, read_session
from sandbox.exchange.state_validation import task_of_file


@dataclass(frozen=True)
class ImportTarget:
    """Where an import goes. world: what a new session there shall be in, if the person says so."""

    session: Path
    rater: str = "me"
    world: str | None = None


Write = Callable[[Path, Path, ProgressCallback], str]
"""(session, out, tell) -> what was written, as a sentence."""
Read = Callable[[Path, ImportTarget, ProgressCallback], str]
"""(path, where to, tell) -> what was read, as a sentence."""


class UnknownFormat(ValueError):
    """No format of that name; the text is a sentence."""


class Format(NamedTuple):
    """A way to write, to read, or both; `matches` tells whether a path seems to be of it."""

    write: Write | None
    read: Read | None
    matches: Callable[[Path], bool]


def writer(name: WrittenFormat | ReadFormat) -> Write:
    """How to write that format; UnknownFormat if it is only read."""
    write = FORMATS[name].write
    if write is None:
        raise UnknownFormat(f"--format {name} can be read and not written: choose another.")
    return write


def reader(name: ReadFormat | None, path: Path) -> Read:
    """How to read that format, or (None) the one that `path` seems to be; UnknownFormat if it is of none."""
    known = {key: one.read for key, one in FORMATS.items() if one.read is not None}
    if name is not None:
        return known[name]
    if not path.exists():
        raise UnknownFormat(f"there is no file or folder {path}.")
    read = next((read for key, read in known.items() if FORMATS[key].matches(path)), None)
    if read is None:
        raise UnknownFormat(f"{path} is of no known format: say --format, one of {', '.join(known)}.")
    return read


def _half(tell: ProgressCallback, second: bool = False) -> ProgressCallback:
    return lambda share, text: tell((share + second) / 2, text)


def _save(ledger: Ledger, target: ImportTarget, tell: ProgressCallback) -> str:
    done = save_records(ledger, target.session, target.rater, tell)
    twice = f"; {done.known} were there already" if done.known else ""
    return f"{done.saved} records saved in {target.session}{twice}."


def _world_for(target: ImportTarget, declared: tuple[str, dict[str, object]] | None) -> Task:
    """The session's world; for a new session what the person says, else what the file says."""
    from envs.task_catalog import task

    known = session_task(target.session)
    if known is not None:
        return known
    if target.world is not None:
        return task(target.world)
    if declared is None:
        raise UnknownFormat(
            f"the file does not say its world, and there is no session {target.session} yet: add --world ID."
        )
    return task_of_file(*declared)


def _into(world: Task, entries: list[Entry], target: ImportTarget, tell: ProgressCallback) -> str:
    ledger = Ledger(world.id, dict(world.options), entries)
    return _save(ledger, target, tell)


def _write_bundle(session: Path, out: Path, tell: ProgressCallback) -> str:
    from sandbox.exchange import preference_bundle

    count = preference_bundle.write(out, read_session(session, _half(tell)), _half(tell, True))
    return f"{count} records of {session} are in {out}."


def _read_bundle(path: Path, target: ImportTarget, tell: ProgressCallback) -> str:
    from sandbox.exchange import preference_bundle

    return _save(preference_bundle.read(path, _half(tell)), target, _half(tell, True))


def _write_csv(session: Path, out: Path, tell: ProgressCallback) -> str:
    from sandbox.exchange import labels

    count = labels.write_csv(out, read_session(session, _half(tell)), _half(tell, True))
    return f"{count} labels of {session} are in {out}."


def _write_parquet(session: Path, out: Path, tell: ProgressCallback) -> str:
    from sandbox.exchange import labels

    count = labels.write_parquet(out, read_session(session, _half(tell)), _half(tell, True))
    return f"{count} labels of {session} are in {out}."


def _read_labels(path: Path, target: ImportTarget, tell: ProgressCallback) -> str:
    from sandbox.exchange import labels

    rows = labels.read_parquet(path) if path.suffix == ".parquet" else labels.read_csv(path)
    ledger = read_session(target.session, _half(tell))
    clips = labels.clips_by_digest(entry.record for entry in ledger.entries)
    found = labels.entries(rows, clips, path)
    return _save(Ledger(ledger.world, ledger.options, found), target, _half(tell, True))


def _write_cpl(session: Path, out: Path, tell: ProgressCallback) -> str:
    from sandbox.exchange import cpl_format

    records = [entry.record for entry in read_session(session, _half(tell)).entries]
    return f"{cpl_format.write(out, records, _half(tell, True))} pairs of {session} are in {out}."


def _read_cpl(path: Path, target: ImportTarget, tell: ProgressCallback) -> str:
    from sandbox.exchange import cpl_format

    arrays = cpl_format.read(path)
    world = _world_for(target, None)
    return _into(world, cpl_format.entries(arrays, world, path.name), target, tell)


def _write_minari(arrow: bool) -> Write:
    def write(session: Path, out: Path, tell: ProgressCallback) -> str:
        from sandbox.exchange import minari

        count = minari.write(out, read_session(session, _half(tell)), arrow, _half(tell, True))
        return f"{count} demonstrations of {session} are in {out}."

    return write


def _read_minari(path: Path, target: ImportTarget, tell: ProgressCallback) -> str:
    from sandbox.exchange import episodes, minari

    found, said = minari.read(path, _half(tell))
    world = _world_for(target, said)
    return _into(world, episodes.entries(found, world, path.name), target, _half(tell, True))


def _read_imitation(path: Path, target: ImportTarget, tell: ProgressCallback) -> str:
    from sandbox.exchange import episodes, imitation_format

    found = imitation_format.read(path, _half(tell))
    world = _world_for(target, None)
    return _into(world, episodes.entries(found, world, path.name), target, _half(tell, True))


def _write_agent(session: Path, out: Path, tell: ProgressCallback) -> str:
    from agents.io.agent_bundle import save
    from sandbox.exchange.agents import session_agent

    tell(0.2, "reading the session")
    agent, _ = session_agent(session)
    save(out, agent)
    return f"The agent of {session} is in {out} ({agent.learner}, {agent.env_steps} steps)."


def _write_sb3(session: Path, out: Path, tell: ProgressCallback) -> str:
    from agents.io.sb3_zip import write_zip
    from sandbox.exchange.agents import session_agent

    tell(0.2, "reading the session")
    agent, world = session_agent(session)
    write_zip(out, agent, world)
    return f"The agent of {session} is in {out}, for `PPO.load` of Stable-Baselines3."


def _read_agent(path: Path, target: ImportTarget, tell: ProgressCallback) -> str:
    from sandbox.exchange.agents import import_agent

    world = session_task(target.session)
    if world is None:
        raise UnknownFormat(
            f"there is no session {target.session}: an agent is kept in one, so make it first."
        )
    return f"The agent is in {import_agent(path, target.session, world)}."


def _never(path: Path) -> bool:
    return False


FORMATS: dict[WrittenFormat | ReadFormat, Format] = {
    "bundle": Format(_write_bundle, _read_bundle, lambda path: (path / "bundle.json").is_file()),
    "csv": Format(_write_csv, _read_labels, lambda path: path.suffix == ".csv"),
    "parquet": Format(_write_parquet, _read_labels, lambda path: path.suffix == ".parquet"),
    "cpl": Format(_write_cpl, _read_cpl, lambda path: path.suffix == ".npz"),
    "minari": Format(
        _write_minari(False),
        _read_minari,
        lambda path: (path / "data" / "metadata.json").is_file() or (path / "metadata.json").is_file(),
    ),
    "minari-arrow": Format(_write_minari(True), None, _never),
    "agent": Format(_write_agent, _read_agent, lambda path: (path / "agent.json").is_file()),
    "sb3": Format(_write_sb3, _read_agent, lambda path: path.suffix == ".zip"),
    "imitation": Format(None, _read_imitation, lambda path: (path / "state.json").is_file()),
}
