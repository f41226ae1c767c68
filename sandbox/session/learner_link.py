"""The session's side of its learner: starts and commands the process, and keeps what it sends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents.snapshot import CurvePoint, Snapshot
from sandbox.learning.checkpoints import Checkpoints
from sandbox.learning.messages import Command, CurveUpdate, LearnerWarning
from sandbox.learning.spec import LearnerFactory, WorkerSpec
from sandbox.learning.supervisor import LearnerProcess, Limits, Restarted, Status
from sandbox.session.events import ErrorMessage, Event, LearnerRestarted, NewSnapshot
from sandbox.session.folder import SessionFile


class LearnerLink:
    """The learner of one session, whether its process runs or not. No method but `stop` waits."""

    def __init__(
        self, folder: Path, store: str, facts: SessionFile, make: LearnerFactory | None, limits: Limits
    ) -> None:
        """store: the address of the database that the learner reads. make: None for learners by name."""
        self._folder, self._store, self._facts = folder, store, facts
        self._make, self._limits = make, limits
        self.latest_snapshot: Snapshot | None = None
        self.first_snapshot: Snapshot | None = None
        """The first with a policy since this learner was begun here, to compare the latest with."""
        self.curve: list[CurvePoint] = Checkpoints(folder, facts.learner).curve()
        self.process: LearnerProcess | None = None
        """None until it is started for the first time."""

    @property
    def status(self) -> Status:
        """What the learner is doing."""
        return self.process.status if self.process else Status("waiting", "No learner is running")

    def start(self) -> None:
        """Start the learner process, if it does not run."""
        if self.process is None:
            self.process = LearnerProcess(self._spec(), self._limits)
        self.process.start()

    def _spec(self) -> WorkerSpec:
        facts = self._facts
        return WorkerSpec(
            folder=str(self._folder.absolute()),
            store=self._store,
            task=facts.world,
            options=dict(facts.options),
            learner=facts.learner,
            seed=facts.seed,
            prior=facts.prior,
            follow=facts.follow,
            make=self._make,
        )

    def send(self, command: Command) -> None:
        """Tell the learner something; nothing happens while no process was started."""
        if self.process is not None:
            self.process.send(command)

    def pause(self) -> None:
        """Let the learner rest; it still takes in feedback."""
        self.send(Command("pause"))

    def resume(self) -> None:
        """Go on learning, also after the learner had failed for good."""
        self.send(Command("resume"))
        if self.process is not None:
            self.process.start()

    def restart(self) -> None:
        """Begin with a fresh learner on the same feedback."""
        if self.status.state == "failed":
            Checkpoints(self._folder, self._facts.learner).clear()
            self.start()
        else:
            self.send(Command("afresh"))

    def set_learner(self, facts: SessionFile) -> None:
        """Use the learner that the session's file names now, on the same feedback."""
        self._facts = facts
        self.send(Command("learner", facts.learner))
        if self.status.state == "failed":
            self.start()

    def follow(self, facts: SessionFile) -> None:
        """Learn what the rater wants whom the session's file names now."""
        self._facts = facts
        self.send(Command("follow", facts.follow))

    def poll(self) -> Sequence[Event]:
        """What the learner sent since the last call, as events of the session."""
        events: list[Event] = []
        for message in self.process.poll() if self.process else ():
            if isinstance(message, Snapshot):
                self._keep(message)
                events.append(NewSnapshot(message))
            elif isinstance(message, CurveUpdate):
                self.curve[message.kept_count :] = message.points
            elif isinstance(message, Restarted):
                events.append(LearnerRestarted(message.reason))
            elif isinstance(message, LearnerWarning):
                events.append(ErrorMessage(message.text))
        return events

    def _keep(self, snapshot: Snapshot) -> None:
        first, self.latest_snapshot = self.first_snapshot, snapshot
        is_new = first is None or first.learner != snapshot.learner or snapshot.step < first.step
        if is_new and snapshot.policy is not None:
            self.first_snapshot = snapshot

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.stop()
