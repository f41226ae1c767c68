"""The application without a screen: everything that a person can do, as verbs. No pygame, no torch.

with Session.open(None, world="teachbox/RoomsTidy-v0") as session:
    id = session.add_demonstration(trajectory)  # returns at once
    for event in session.poll():  # each frame; Saved(record_id=id) comes after the commit
        ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import (
    Comparison,
    Correction,
    Demonstration,
    Evaluation,
    Question,
    Record,
    Undo,
    Verdict,
)
from agents.snapshot import CurvePoint, Snapshot
from envs.simulate import random_actions
from envs.trajectory import Trajectory
from sandbox.learning.messages import Command
from sandbox.learning.spec import LearnerFactory
from sandbox.learning.supervisor import Limits, Status
from sandbox.session.events import Event, Saved, unsaved_on_close_text
from sandbox.session.feedback_log import FeedbackLog
from sandbox.session.folder import SessionError, SessionInfo, default_root, list_sessions, program_version
from sandbox.session.learner_link import LearnerLink
from sandbox.session.opening import SessionParts, check_learner, open_parts
from sandbox.session.question_queue import QuestionQueue
from sandbox.session.raters import RaterGroup, Raters
from sandbox.session.session_options import SessionOptions
from sandbox.store import Provenance, StoreError

LIMITS = Limits()


class Session:
    """One person who teaches in one world. All methods are for one thread, and only `close` waits."""

    def __init__(self, parts: SessionParts, options: SessionOptions, limits: Limits) -> None:
        self.folder, self._facts, self.task, self._store = parts
        self.world, self.rater = self._facts.world, options.rater
        self._make = options.make
        self.learner_link = LearnerLink(
            self.folder, self._store.backend.address, self._facts, options.make, limits
        )
        self._feedback_log = FeedbackLog(self._store, self._facts.raters[self.rater])
        self._raters = Raters(self._facts.raters)
        self._question_queue = QuestionQueue()
        self._clips = 2

    @classmethod
    def open(
        cls,
        folder: Path | None,
        *,
        world: str | None = None,
        learner: str | None = None,
        rater: str = "me",
        prior: str | None = None,
        start_learner: bool = True,
        options: Mapping[str, Any] | None = None,
        store: str | None = None,
        make: LearnerFactory | None = None,
        limits: Limits = LIMITS,
    ) -> Session:
        """Open the session in `folder`, or make one there (None: in a new folder of its own).

        The keywords are those of SessionOptions. start_learner: whether a learner begins at once. Raises
        SessionError with a sentence.
        """
        wanted = SessionOptions(world, learner, rater, prior, options, store, make)
        return cls.open_with(folder, wanted, start_learner=start_learner, limits=limits)

    @classmethod
    def open_with(
        cls,
        folder: Path | None,
        options: SessionOptions,
        *,
        start_learner: bool = True,
        limits: Limits = LIMITS,
    ) -> Session:
        """The same, with the options put together already."""
        parts = open_parts(folder, options)
        try:
            session = cls(parts, options, limits)
        except StoreError as error:
            parts.store.close()
            raise SessionError(str(error)) from error
        if start_learner:
            session.start_learner()
        return session

    @staticmethod
    def list(root: Path | None = None) -> list[SessionInfo]:
        """The sessions under `root` (default: where new ones are made), the last used first."""
        return list_sessions(root or default_root())

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def learner(self) -> str:
        """The name of the session's learner, whether it runs or not."""
        return self._facts.learner

    @property
    def status(self) -> Status:
        """What the learner is doing."""
        return self.learner_link.status

    @property
    def latest_snapshot(self) -> Snapshot | None:
        """The newest that the learner sent."""
        return self.learner_link.latest_snapshot

    @property
    def first_snapshot(self) -> Snapshot | None:
        """The first with a policy since this learner was begun here, to compare the latest with."""
        return self.learner_link.first_snapshot

    @property
    def curve(self) -> Sequence[CurvePoint]:
        """The learner's curve so far."""
        return self.learner_link.curve

    @property
    def counts(self) -> dict[str, int]:
        """Records that were not taken back, by kind, with those that are still being saved."""
        return self._feedback_log.counts

    @property
    def unsaved(self) -> int:
        """How many records are not on the disk yet."""
        return self._feedback_log.unsaved

    @property
    def last_saved(self) -> int:
        """The number of the newest record that is known to be saved."""
        return self._feedback_log.last_saved

    @property
    def unsaved_warning(self) -> str | None:
        """What closing now would lose, as a sentence; None while all is saved or about to be."""
        return self._feedback_log.unsaved_warning

    def poll(self) -> Sequence[Event]:
        """What happened since the last frame. Never waits."""
        return [*self._poll_store(), *self.learner_link.poll()]

    # Verbs: each returns its record's id at once; Saved with that id follows after the commit.

    def add_demonstration(self, trajectory: Trajectory) -> str:
        """Keep what the person drove as a demonstration."""
        return self._append(Demonstration(trajectory))

    def add_evaluation(
        self, segment: Trajectory, value: float, delay_steps: float = 0.0, *, rate: float = 0.0
    ) -> str:
        """A + or -: `value` -2, -1, 1 or 2 for the steps up to the press; see
        agents.feedback.records.Evaluation."""
        return self._append(Evaluation(segment, value, delay_steps, rate), policy=segment.driver)

    def add_comparison(
        self, question: Question, ranks: Sequence[int] = (), verdict: Verdict = "ranked", seconds: float = 0.0
    ) -> str:
        """Clips put in order: ranks[i] is the place of clip i as shown, 0 the best, equal for ties.

        verdict "cant_tell" or "skipped": ranks are left out. seconds: monotonic, from shown to answered.
        """
        places = tuple(int(rank) for rank in ranks) if verdict == "ranked" else ()
        record = Comparison(question.clips, places, verdict, question.id, seconds)
        order = self._question_queue.display_order(question)
        return self._append(record, seconds=seconds, question=question.id, order=order)

    def add_correction(self, agent: Trajectory, person: Trajectory) -> str:
        """What the person did after taking over, and what the agent did from the same moment."""
        return self._append(Correction(agent, person), policy=agent.driver)

    def undo(self, kind: str | None = None) -> str | None:
        """Take back this rater's last standing record (of that kind). The Undo's id, None without one.

        The Saved event that follows has the id of the record taken back as its `target`.
        """
        target = self._feedback_log.last_record(kind)
        return None if target is None else self._append(Undo(target))

    def next_question(self, clips: int = 2) -> Question | None:
        """The next question, its clips in the order in which to show them; None while there is none."""
        if clips != self._clips:
            self._clips = clips
            self.learner_link.send(Command("clips", clips))
        ready = self.latest_snapshot.questions if self.latest_snapshot else ()
        question = self._question_queue.next_question(ready, clips)
        if question is not None:
            self.learner_link.send(Command("asked", question.id))
        return question

    def act(
        self, obs: NDArray[np.float32], random: np.random.Generator | None, temperature: float = 1.0
    ) -> NDArray[Any]:
        """The newest policy's actions [N] or [N, C] for obs [N, D]; random ones before there is one.

        random: None for the policy's best action each time.
        """
        if self.latest_snapshot is not None and self.latest_snapshot.policy is not None:
            return self.latest_snapshot.policy.act(obs, random, temperature)
        return random_actions(self.task, len(obs), random or np.random.default_rng())

    # The learner.

    def start_learner(self) -> None:
        """Start the learner process, if it does not run."""
        self.learner_link.start()

    def pause(self) -> None:
        """Let the learner rest; it still takes in feedback."""
        self.learner_link.pause()

    def resume(self) -> None:
        """Go on learning, also after the learner had failed for good."""
        self.learner_link.resume()

    def restart_learner(self) -> None:
        """A learner afresh, on the same feedback."""
        self.learner_link.restart()

    def set_learner(self, name: str) -> None:
        """Another learner on the same feedback. SessionError for an unknown name."""
        check_learner(name, self._make)
        if name != self._facts.learner:
            facts = replace(self._facts, learner=name)
            facts.write(self.folder)
            self._facts = facts
            self.learner_link.set_learner(facts)

    @property
    def rater_groups(self) -> Sequence[RaterGroup]:
        """Groups of raters who want the same, the one that is followed first; empty if all want the same."""
        return self._raters.groups(self.latest_snapshot)

    @property
    def learner_warnings(self) -> Sequence[str]:
        """The learner's warnings, as sentences."""
        return self._raters.warnings(self.latest_snapshot)

    def follow(self, who: str) -> None:
        """Learn what this rater (a name or id) wants, where raters want different things; "": what those want
        whose answers tell most. Raises SessionError for a rater who is not known here."""
        seen = self.latest_snapshot.raters if self.latest_snapshot is not None else ()
        try:
            id = self._raters.find(who, {*self._feedback_log.raters, *seen} - {"", "you"}) if who else ""
        except ValueError as error:
            raise SessionError(str(error)) from error
        if id != self._facts.follow:
            facts = replace(self._facts, follow=id)
            facts.write(self.folder)
            self._facts = facts
            self.learner_link.follow(facts)

    def close(self, timeout: float = 5.0) -> str | None:
        """Save what is queued and end the learner. Returns a sentence if something could not be saved in
        time."""
        self.learner_link.stop()
        store, left = self._store, self._store.close(timeout)
        self._facts.remember(self.folder, self.counts)
        return unsaved_on_close_text(left, store.outbox_count, store.error, self.folder / "outbox")

    # Inside.

    def _append(
        self,
        record: Record,
        *,
        seconds: float | None = None,
        question: str | None = None,
        order: tuple[int, ...] | None = None,
        policy: str | None = None,
    ) -> str:
        if policy is None and self.latest_snapshot is not None:
            policy = f"{self.latest_snapshot.learner}:{self.latest_snapshot.step}"
        rater = self._facts.raters[self.rater]
        provenance = Provenance(rater, program_version(), seconds, question, order, policy)
        return self._feedback_log.append(record, provenance)

    def _poll_store(self) -> Sequence[Event]:
        events = self._feedback_log.poll()
        if any(isinstance(event, Saved) for event in events):
            self.learner_link.send(Command("nudge"))
        return events
