"""The learners by name: those of teachbox, of other installed packages, and `module:name`.

Listing those of teachbox imports no torch; making one does. Another package brings a learner by an entry
point of the group `teachbox.learners`.
"""

from __future__ import annotations

import difflib
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, cast, get_args

from agents.feedback.feedback_kind import ALL_KINDS
from agents.learners.protocol import Learner, Prior
from agents.renamed_settings import current_name
from envs import extensions
from envs.extensions import BrokenExtension, installed, load_installed
from envs.world import Task

DEFAULT_LEARNER = "joint"
DEFAULTS: Mapping[str, Any] = MappingProxyType({})
"""Settings that leave every field of a learner's configuration as it is."""
ENTRY_POINT_GROUP = "teachbox.learners"
"""The entry points by which other packages bring learners."""


class UnknownLearner(ValueError):
    """No learner of that name; the text is a sentence for the person who typed it."""


@dataclass(frozen=True)
class LearnerEntry:
    """A learner as menus and help show it."""

    name: str
    title: str
    about: str
    kinds: frozenset[str]
    """The kinds of feedback it learns from."""
    load: Callable[[], type[Learner]]
    """Imports the learner's class, and with it torch where it learns with torch."""


def _joint() -> type[Learner]:
    from agents.learners.joint import JointLearner

    return JointLearner


def _preferences() -> type[Learner]:
    from agents.learners.preferences import PreferencesLearner

    return PreferencesLearner


def _pebble() -> type[Learner]:
    from agents.learners.pebble import PebbleLearner

    return PebbleLearner


def _evaluative() -> type[Learner]:
    from agents.learners.evaluative import EvaluativeLearner

    return EvaluativeLearner


def _bc() -> type[Learner]:
    from agents.learners.bc import CloningLearner

    return CloningLearner


def _dagger() -> type[Learner]:
    from agents.learners.dagger import DaggerLearner

    return DaggerLearner


def _gail() -> type[Learner]:
    from agents.learners.adversarial import GailLearner

    return GailLearner


def _airl() -> type[Learner]:
    from agents.learners.adversarial import AirlLearner

    return AirlLearner


def _maxent() -> type[Learner]:
    from agents.learners.maxent import MaxEntLearner

    return MaxEntLearner


def _cpl() -> type[Learner]:
    from agents.learners.cpl import ContrastiveLearner

    return ContrastiveLearner


def _shaping() -> type[Learner]:
    from agents.learners.shaping import ShapingLearner

    return ShapingLearner


_ENTRIES = (
    LearnerEntry(
        "joint",
        "Everything together",
        "Learns one reward from all that you do, then trains on it.",
        ALL_KINDS,
        _joint,
    ),
    LearnerEntry(
        "preferences",
        "Rankings only",
        "Learns a reward from your rankings, then trains on it.",
        frozenset({"comparison"}),
        _preferences,
    ),
    LearnerEntry(
        "pebble",
        "Rankings, with a memory of steps",
        "The same, but trains again on all its old steps when the reward changes.",
        frozenset({"comparison"}),
        _pebble,
    ),
    LearnerEntry(
        "evaluative",
        "Your + and - only",
        "Learns a reward from your + and -, then trains on it.",
        frozenset({"evaluation"}),
        _evaluative,
    ),
    LearnerEntry(
        "bc",
        "Imitation only",
        "Copies what you did in your drives, and asks nothing.",
        frozenset({"demonstration", "correction"}),
        _bc,
    ),
    LearnerEntry(
        "dagger",
        "Imitation with takeovers",
        "Copies your drives, and learns again each time you take over.",
        frozenset({"demonstration", "correction"}),
        _dagger,
    ),
    LearnerEntry(
        "gail",
        "Imitation by a discriminator",
        "Trains until a classifier can't tell its steps from yours.",
        frozenset({"demonstration"}),
        _gail,
    ),
    LearnerEntry(
        "airl",
        "A reward from a discriminator",
        "The same, with a reward that works in other layouts too.",
        frozenset({"demonstration"}),
        _airl,
    ),
    LearnerEntry(
        "maxent",
        "A reward from your drives",
        "Finds the reward that makes your drives likely; exactly where the world is small.",
        frozenset({"demonstration"}),
        _maxent,
    ),
    LearnerEntry(
        "cpl",
        "A policy from rankings",
        "Does more of what you ranked higher, without learning a reward.",
        frozenset({"comparison", "correction"}),
        _cpl,
    ),
    LearnerEntry(
        "shaping",
        "Your + and - on top",
        "Adds your + and - to the written reward.",
        frozenset({"evaluation"}),
        _shaping,
    ),
)
LEARNERS: dict[str, LearnerEntry] = {entry.name: entry for entry in _ENTRIES}
"""The learners that come with teachbox."""
_CLASS_SETTINGS = tuple(
    name
    for name, value in {**Learner.__annotations__, **vars(Learner)}.items()
    if not name.startswith("_") and not isinstance(value, property)
)
"""What the contract wants of a learner's class; its properties may also be attributes of the instance."""


def find_entry(name: str) -> LearnerEntry:
    """The learner called `name`; raises UnknownLearner.

    name: of a learner of teachbox or of an installed package, or `module:name` of a learner's class or of a
    LearnerEntry. Another package's module is imported.
    """
    if name in LEARNERS:
        return LEARNERS[name]
    try:
        if name in installed(ENTRY_POINT_GROUP):
            found = load_installed(ENTRY_POINT_GROUP, name)
        else:
            found = extensions.import_object(name, must_exist=True)
    except BrokenExtension as error:
        raise UnknownLearner(str(error)) from error
    if found is not None:
        return _entry_of(name, found)
    known = [*LEARNERS, *installed(ENTRY_POINT_GROUP)]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(known)}"
    raise UnknownLearner(f"there is no learner {name!r}: {hint}")


def _entry_of(name: str, found: Any) -> LearnerEntry:
    """The entry under which another package's learner is listed; UnknownLearner if it is no learner."""
    if isinstance(found, LearnerEntry):
        return replace(found, name=name)
    if not isinstance(found, type):
        raise UnknownLearner(f"{name} is a {type(found).__name__}, not a learner's class or a LearnerEntry")
    learner: type[Learner] = found
    abstract = found.__abstractmethods__ if isinstance(found, ABCMeta) else ()
    missing = [part for part in _CLASS_SETTINGS if part not in dir(learner) or part in abstract]
    if missing:
        raise UnknownLearner(f"{name} is no learner: {learner.__name__} has no {', '.join(missing)}")
    if not is_dataclass(learner.Config):
        raise UnknownLearner(f"{name} is no learner: its Config is not a dataclass")
    about = (learner.__doc__ or "").strip().partition("\n")[0]
    return LearnerEntry(name, learner.name, about, learner.kinds, lambda: learner)


def listed_entries(tell: Callable[[str], None], in_use: str = "") -> Iterator[LearnerEntry]:
    """The learners of teachbox and of installed packages; `tell` gets a sentence for each broken one.

    in_use: a learner that is listed too if it is a `module:name`.
    """
    for name in dict.fromkeys(
        (*LEARNERS, *installed(ENTRY_POINT_GROUP), *([in_use] if ":" in in_use else []))
    ):
        try:
            yield find_entry(name)
        except UnknownLearner as error:
            tell(str(error))


def known_settings(name: str) -> tuple[str, ...]:
    """The settings that the learner called `name` has. Imports the learner; raises UnknownLearner."""
    return tuple(field.name for field in fields(find_entry(name).load().Config))


def check_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Raise ValueError, a sentence, for settings that the learner called `name` doesn't have."""
    config = find_entry(name).load().Config
    known = [field.name for field in fields(config)]
    for setting in settings:
        if setting not in known:
            close = difflib.get_close_matches(setting, known, n=1)
            if current := current_name(config, setting):
                raise ValueError(f"learner {name!r} has no setting {setting!r}: it is called {current!r} now")
            what = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known) or 'none'}"
            raise ValueError(f"learner {name!r} has no setting {setting!r}: {what}")


def make(
    name: str, task: Task, *, seed: int = 0, prior: str = "", settings: Mapping[str, Any] = DEFAULTS
) -> Learner:
    """A fresh learner. Imports what it learns with, often torch.

    settings: values for fields of its configuration, by name; `known_settings` lists them.
    Raises UnknownLearner, and ValueError for an unknown prior or setting.
    """
    prior = prior or task.default_prior
    if prior not in get_args(Prior):
        raise ValueError(f"prior {prior!r} is unknown: choose 'written' or 'none'")
    from agents.torch_runtime import skip_compiler

    skip_compiler()
    check_settings(name, settings)
    learner = find_entry(name).load()
    return learner(task, seed=seed, prior=cast(Prior, prior), config=learner.Config(**settings))
