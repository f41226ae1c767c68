"""How a session is opened or made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.learning.spec import LearnerFactory


@dataclass(frozen=True)
class SessionOptions:
    """What whoever opens a session asks for. None: what the session has, or the default for a new one.

    world: a task id. learner, prior: by name. rater: who teaches. options: keywords that the world is made
    with. store: the URL of a store on a server, which several people teach into (the session's folder keeps
    the rest). make: makes the learners in place of the catalogue; a function of a module's top level.
    """

    world: str | None = None
    learner: str | None = None
    rater: str = "me"
    prior: str | None = None
    options: Mapping[str, Any] | None = None
    store: str | None = None
    make: LearnerFactory | None = None
