"""A learner whose checkpoint is its state_dict, in the files of `agents.checkpoint`."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from agents import checkpoint
from agents.checkpoint import StateDict
from agents.learners.base_learner import BaseLearner


class CheckpointedLearner(BaseLearner):
    """A learner that is saved as its `state_dict`, which its subclass composes of those of its parts."""

    @abstractmethod
    def state_dict(self) -> StateDict:
        """The whole learner but for the feedback, which the store has."""

    @abstractmethod
    def load_state_dict(self, state: StateDict) -> None:
        """Go on from a state. Raises ValueError, a sentence, for that of a learner of another shape."""

    def save(self, folder: Path) -> None:
        checkpoint.save(folder, self.name, self.state_dict())

    def load(self, folder: Path) -> None:
        self.load_state_dict(checkpoint.load(folder, self.name))
