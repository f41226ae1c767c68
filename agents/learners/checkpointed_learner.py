"""A learner whose checkpoint is its state_dict, in the files of `agents.checkpoint`."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from agents import checkpoint
from agents.checkpoint import StateDict
from agents.learners.base_learner import BaseLearner


class CheckpointedLearner(BaseLearner):
    """A learner whose checkpoint is its `state_dict`, which a subclass composes of those of its parts."""

    @abstractmethod
    def state_dict(self) -> StateDict:
        """The state of the learner without the feedback, which is in the store."""

    @abstractmethod
    def load_state_dict(self, state: StateDict) -> None:
        """Restore a state. Raises ValueError, a sentence, if it is that of a learner of another shape."""

    def save(self, folder: Path) -> None:
        checkpoint.save(folder, self.name, self.state_dict())

    def load(self, folder: Path) -> None:
        self.load_state_dict(checkpoint.load(folder, self.name))
