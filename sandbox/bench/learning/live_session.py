"""How fast the agent becomes what was meant, live: a real session and its learner process, no window.

A synthetic teacher says its few things as soon as it can; from the last of them on the newest
policy is tried on unseen starts, as a person would see it in Watch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import numpy as np

from agents.evaluation.scores import evaluate_policy
from agents.feedback.records import Question
from agents.teachers.synthetic import make_teacher
from agents.teachers.teacher_protocol import Teacher
from sandbox.progress import ProgressCallback
from sandbox.session.folder import SessionFile
from sandbox.session.session import Session

GOAL = 0.6  # share of unseen starts where the whole task is done
TURN = 0.05  # between two looks at what came [s]
PACE = 1.5  # of a person who answers quickly; questions can then follow from what was said before [s]


@dataclass(frozen=True)
class Live:
    """One session. Seconds are wall time; a share is of 200 unseen starts, whole task done."""

    teaching: str
    seed: int
    before: float  # share, when the first word was said
    after: float  # share, `watched` seconds after the last word
    seconds_to_goal: float | None  # from the last word until the share was over GOAL
    teaching_seconds: float  # from the first word to the last
    opening_seconds: float  # from opening the session to the first word
    heard_seconds: float | None  # from the last word on disk to the first policy that has learned from it


def measure(
    world: str, seeds: int, watched: float, demos: int, answers: int, tell: ProgressCallback
) -> Iterator[Live]:
    """Each way of teaching in a session of its own, one after the other."""
    ways: list[tuple[str, Callable[[Session, Teacher], None]]] = [
        (f"{demos} demonstrations", lambda session, teacher: _demonstrate(session, teacher, demos)),
        (f"{answers} answers at once", lambda session, teacher: _answer(session, teacher, answers, 0.0)),
        (
            f"{answers} answers, one every {PACE} s",
            lambda session, teacher: _answer(session, teacher, answers, PACE),
        ),
    ]
    for seed in range(seeds):
        for place, (name, teach) in enumerate(ways):
            tell((seed + place / len(ways)) / seeds, f"{name}, seed {seed}")
            yield _live(world, name, teach, seed, watched)


def _live(
    world: str, name: str, teach: Callable[[Session, Teacher], None], seed: int, watched: float
) -> Live:
    with tempfile.TemporaryDirectory(prefix="teachbox-live-") as folder:
        home = Path(folder) / "session"
        Session.open(home, world=world, start_learner=False).close()
        facts = SessionFile.read(home)
        assert facts is not None
        replace(facts, seed=seed).write(home)
        opened = monotonic()
        with Session.open(home) as session:
            teacher = make_teacher("rational", session.task, seed)
            _question(session)  # from here on a person would have something to answer
            before, began = _share(session), monotonic()
            teach(session, teacher)
            taught, said = monotonic(), session.last_saved
            heard = _heard(session, said, taught + watched)
            to_goal, share = None, before
            while (passed := monotonic() - taught) < watched:
                _until(session, lambda: True)
                newest = session.latest_snapshot
                if newest is not None and newest.feedback_seq >= said:
                    share = _share(session)
                    if to_goal is None and share > GOAL:
                        to_goal = passed
                sleep(0.5)
            return Live(
                teaching=name,
                seed=seed,
                before=before,
                after=share,
                seconds_to_goal=to_goal,
                teaching_seconds=taught - began,
                opening_seconds=began - opened,
                heard_seconds=None if heard is None else heard - taught,
            )


def _until(session: Session, ready: Callable[[], bool], patience: float = 240.0) -> None:
    """Let the session hear what came, until `ready`."""
    deadline = monotonic() + patience
    while True:
        session.poll()
        if ready():
            return
        if monotonic() > deadline:
            raise TimeoutError(f"the learner was not ready after {patience:.0f} s: {session.status.text}")
        sleep(TURN)


def _heard(session: Session, said: int, deadline: float) -> float | None:
    """When the first policy came that has learned from all that was said; None if none came in time."""
    while monotonic() < deadline:
        session.poll()
        if session.latest_snapshot is not None and session.latest_snapshot.feedback_seq >= said:
            return monotonic()
        sleep(0.01)
    return None


def _question(session: Session) -> Question:
    """The next question, as soon as there is one."""
    found: list[Question] = []

    def asked() -> bool:
        question = session.next_question()
        found.extend([question] if question else [])
        return bool(found)

    _until(session, asked)
    return found[0]


def _share(session: Session) -> float:
    newest = session.latest_snapshot
    if newest is None or newest.policy is None:
        return 0.0
    return float(np.mean(evaluate_policy(session.task, newest.policy).done))


def _demonstrate(session: Session, teacher: Teacher, number: int) -> None:
    for index in range(number):
        session.add_demonstration(teacher.demonstrate(1_000 + index).trajectory)
    _until(session, partial(_has, session, "demonstration", number))


def _passed(due: float) -> bool:
    return monotonic() >= due


def _has(session: Session, kind: str, number: int) -> bool:
    return session.counts.get(kind, 0) >= number and not session.unsaved


def _answer(session: Session, teacher: Teacher, number: int, pace: float) -> None:
    began = monotonic()
    for index in range(number):
        _until(session, partial(_passed, began + index * pace))
        question = _question(session)
        said = teacher.compare(question)
        session.add_comparison(question, said.ranks, said.verdict, 1.0)
        _until(session, partial(_has, session, "comparison", index + 1))
