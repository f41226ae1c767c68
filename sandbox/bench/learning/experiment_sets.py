"""What `teachbox bench learners --set NAME` measures: named sets of ways of teaching.

`table` is every learner on five worlds; each of the others is about one question. A run is scored at
several budgets on its way; at each the learner has learned all that the budget is good for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack, get_args

from agents.learner_catalog import DEFAULTS, find_entry
from agents.learner_catalog import LEARNERS as BUILT_IN
from envs.world import NO_OPTIONS, TaskOption
from sandbox.bench.learning.learner_scores import Condition, ScoreTarget
from sandbox.bench.measured_names import LearnerSet
from sandbox.studies.feedback_mix import parse_mix
from sandbox.studies.training_study import TrainConfig

TIDY, LOOPHOLE = "teachbox/RoomsTidy-v0", "teachbox/RoomsLoophole-v0"
MERGE, ROVER, POLE = "teachbox/LanesMerge-v0", "teachbox/RoverDeliver-v0", "CartPole-v1"
WORLDS = (TIDY, LOOPHOLE, MERGE, ROVER, POLE)
LEARNERS = (
    "joint",
    "preferences",
    "preferences:net",
    "pebble",
    "cpl",
    "bc",
    "dagger",
    "gail",
    "airl",
    "maxent",
    "evaluative",
    "evaluative:coach",
    "shaping",
)
"""The learners of the table. After the colon: the net as its reward, or COACH in TAMER's place."""
MODELS = ("net", "terms", "tamer", "coach")
SHORTER = {world: {"steps_per_fit": 240_000} for world in (MERGE, ROVER)}
"""How long practice on one state of the feedback may take in the table, where steps cost more."""
OFF_POLICY = {world: {"proxy_steps": 20_000, "steps_per_fit": 20_000} for world in (MERGE, ROVER, POLE)}
"""The same for `pebble`, which learns more from each step and takes longer over it."""
PRACTISES = ("joint", "preferences", "gail", "airl", "maxent", "evaluative", "shaping")


class StudySettings(TypedDict, total=False):
    """Fields of `TrainConfig` that a condition may set beside its world, learner and budgets."""

    teacher: str
    prior: Literal["written", "none"]
    control: Literal["", "constant", "random"]
    rounds: int
    options: Mapping[str, TaskOption]


def taught_condition(
    name: str,
    world: str,
    budgets: str,
    wanted: ScoreTarget | None = None,
    label: str = "",
    config: Mapping[str, Any] = DEFAULTS,
    **study: Unpack[StudySettings],
) -> Condition:
    """A learner by name (see LEARNERS) with budgets as in "comparison=5/comparison=10".

    config: settings of the learner. study: fields of TrainConfig that differ from the usual ones.
    """
    learner, model = _split(name)
    own = {} if model in ("", "terms") else {"model": "net"} if model == "net" else {"method": model}
    mixes = [parse_mix(part) for part in budgets.split("/")]
    base = TrainConfig(
        world=world,
        learner=learner,
        mix=mixes[-1],
        budgets=tuple(mixes[:-1]),
        config={**own, **config},
        prior="none" if learner in ("gail", "airl") or world == POLE else "written",
    )
    return Condition(label or name, replace(base, **study), wanted)


def _split(name: str) -> tuple[str, str]:
    """(learner, model or way) of "preferences:net"; a learner's own name may be `module:name`."""
    learner, _, model = name.rpartition(":")
    return (learner, model) if model in MODELS else (name, "")


def table() -> list[Condition]:
    """Every learner on five worlds, from what it learns from, and the controls."""
    found = []
    for world in WORLDS:
        found += [one for name in LEARNERS for one in _in_table(name, world)]
        limits = _limits("joint", world)
        for control in ("constant", "random"):
            label = f"control: {control} reward"
            found.append(
                taught_condition(
                    "joint", world, "comparison=25", None, label, limits, control=control, prior="none"
                )
            )
        if world != POLE:
            found.append(
                taught_condition("joint", world, "comparison=0", None, "the written reward alone", limits)
            )
    return found


def _in_table(name: str, world: str) -> list[Condition]:
    """The row of a learner in a world of the table; none where it can't learn from what is given there."""
    learner, _ = _split(name)
    budgets, limits = _budgets(learner, world), _limits(learner, world)
    if not budgets:
        return []
    return [taught_condition(name, world, budgets, config=limits, rounds=4 if world == POLE else 12)]


def _limits(learner: str, world: str) -> dict[str, int]:
    """How long a learner of the table may practise in a world."""
    if learner == "pebble":
        return OFF_POLICY.get(world, {})
    return SHORTER.get(world, {}) if learner in PRACTISES else {}


def _budgets(learner: str, world: str) -> str:
    """What one learner is given in a world of the table, budget by budget; empty: nothing that it takes."""
    kinds, flat = find_entry(learner).kinds, world in (TIDY, LOOPHOLE)
    if learner == "joint" and world != POLE:
        few = "demonstration=1,comparison=4/demonstration=2,comparison=10/"
        return (
            few
            + ("demonstration=2,comparison=24,evaluation=3,correction=3/" if flat else "")
            + "demonstration=2,comparison=48,evaluation=5,correction=5"
        )
    if "comparison" in kinds:
        return (
            "comparison=5/comparison=10/comparison=25/comparison=50"
            if flat
            else "comparison=10/comparison=25/comparison=50"
        )
    if world == POLE and kinds == {"evaluation"}:
        return ""  # every step is worth the same there, and nothing surprises the teacher
    if "correction" in kinds and learner == "dagger":
        return (
            "demonstration=1/demonstration=2,correction=5/demonstration=5,correction=20"
            if flat
            else "demonstration=2,correction=5/demonstration=5,correction=20"
        )
    if "demonstration" in kinds:
        return (
            "demonstration=1/demonstration=2/demonstration=5/demonstration=10"
            if flat
            else "demonstration=2/demonstration=10"
        )
    return "evaluation=20/evaluation=60"


def joint() -> list[Condition]:
    """Sixty answers, everything mixed, and what they are compared with."""
    mixed = "demonstration=2,comparison=48,evaluation=5,correction=5"
    return [
        taught_condition("joint", TIDY, "comparison=60", label="60 comparisons"),
        taught_condition("joint", TIDY, mixed, label="everything mixed"),
        taught_condition("joint", TIDY, "comparison=0", label="nothing: the written reward alone"),
        taught_condition(
            "joint", TIDY, "comparison=60", None, "control: constant reward", control="constant", prior="none"
        ),
        taught_condition(
            "joint", TIDY, "comparison=60", None, "control: random reward", control="random", prior="none"
        ),
    ]


def preferences() -> list[Condition]:
    """How many comparisons a reward needs: on the terms and as a net, from the written reward or nothing."""
    net, terms = "preferences:net", "preferences"
    full, early = "comparison=10/comparison=25/comparison=50", "comparison=50/comparison=100/comparison=150"
    return [
        taught_condition(net, TIDY, full, ScoreTarget(0.95, 0.9)),
        taught_condition(net, MERGE, "comparison=25/comparison=50/comparison=100", ScoreTarget(0.95, 0.9)),
        taught_condition(net, TIDY, early, ScoreTarget(0.9), f"{net}, prior none", prior="none"),
        taught_condition(terms, TIDY, "comparison=5/comparison=10", ScoreTarget(0.95, 0.95)),
        taught_condition(
            terms,
            TIDY,
            "comparison=10/comparison=25/comparison=50",
            None,
            f"{terms}, prior none",
            prior="none",
        ),
        taught_condition(net, POLE, full, ScoreTarget(0.948), f"{net} (475 of 500 steps is 0.948)"),
    ]


def minute() -> list[Condition]:
    """`joint` at one human minute, beside the single kinds at as many seconds and at more."""
    mixed, chosen = "demonstration=2,comparison=10", "joint, its own choice of questions"
    drivers, bar = ("rational", "slipping", "cautious"), ScoreTarget(0.95, 0.85)
    single = [
        ("joint, comparisons", "comparison=11/comparison=15"),
        ("joint, demonstrations", "demonstration=2/demonstration=20"),
        ("joint, presses", "evaluation=10/evaluation=30"),
        ("joint, takeovers", "correction=5/correction=20"),
    ]
    return [
        *[taught_condition("joint", TIDY, mixed, bar, teacher=who) for who in drivers],
        taught_condition("joint", TIDY, mixed, None, teacher="noisy"),  # one answer in five is random too
        *[
            taught_condition("joint", TIDY, "seconds=30/seconds=60", bar, chosen, teacher=who)
            for who in drivers
        ],
        *[taught_condition("joint", TIDY, budgets, None, label) for label, budgets in single],
        taught_condition("bc", TIDY, "demonstration=20"),
        taught_condition(
            "joint",
            MERGE,
            "demonstration=1,comparison=5/demonstration=2,comparison=10/demonstration=4,comparison=20",
        ),
        taught_condition(
            "joint", MERGE, "comparison=15/comparison=30/comparison=60", None, "joint, comparisons"
        ),
        taught_condition(
            "joint", MERGE, "demonstration=6/demonstration=12/demonstration=24", None, "joint, demonstrations"
        ),
    ]


def imitation() -> list[Condition]:
    """Learners from demonstrations alone."""
    demos = "demonstration=1/demonstration=2/demonstration=5/demonstration=10"
    both = ((2, 5), (5, 20), (10, 50), (20, 100))
    takeovers = "/".join(f"demonstration={driven},correction={taken}" for driven, taken in both)
    return [
        taught_condition("bc", TIDY, demos, ScoreTarget(0.9)),
        taught_condition("gail", TIDY, demos, ScoreTarget(0.9)),
        taught_condition("airl", TIDY, demos, ScoreTarget(0.9)),
        taught_condition("maxent", TIDY, demos, ScoreTarget(0.9)),
        taught_condition("dagger", TIDY, takeovers, ScoreTarget(0.98), rounds=24),
    ]


def loophole() -> list[Condition]:
    """The world whose written reward pays for dropping things: from it alone, and from thirty answers."""
    long = {"proxy_steps": 1_000_000}
    return [
        taught_condition(
            "joint", LOOPHOLE, "comparison=0", None, "the written reward alone (at most 0.3)", long
        ),
        taught_condition("joint", LOOPHOLE, "comparison=10/comparison=20/comparison=30", ScoreTarget(0.9)),
        taught_condition("preferences:net", LOOPHOLE, "comparison=10/comparison=20/comparison=30"),
    ]


def care() -> list[Condition]:
    """Who errs one time in five, and pools half of whose raters answer at random; beside who never errs."""
    budgets = "/".join(f"comparison={n}" for n in (5, 10, 20, 25, 40, 50))
    who = ("rational", "mistaken:0.2", "pool:rational,rational,useless,useless")
    found = [taught_condition("preferences", TIDY, budgets, teacher=teacher) for teacher in who]
    numbers = {teacher: (25, 50, 62, 100) if "pool" in teacher else (25, 50, 100) for teacher in who}
    return found + [
        taught_condition("preferences:net", TIDY, "/".join(f"comparison={n}" for n in some), teacher=teacher)
        for teacher, some in numbers.items()
    ]


def questions() -> list[Condition]:
    """How what is asked about is chosen."""
    from agents.queries.selection import Acquisition, QueryConfig

    found = []
    for model, numbers in (("preferences", (3, 5, 10, 20, 40)), ("preferences:net", (15, 30, 60))):
        budgets = "/".join(f"comparison={n}" for n in numbers)
        for by in get_args(Acquisition):
            if by == "improvement" and model != "preferences":
                continue  # a net asks by information in its place
            config = {"query": QueryConfig(acquisition=by)}
            found.append(taught_condition(model, TIDY, budgets, None, f"{model}, {by}", config))
    return found


def cost() -> list[Condition]:
    """Sixty answers in the store, a learner that hears them all at once: CPU-seconds to a trained policy."""
    found = [
        taught_condition(name, TIDY, "comparison=60", ScoreTarget(0.95))
        for name in ("preferences", "preferences:net")
    ]
    return [replace(one, at_once=True) for one in found]


SETS: dict[LearnerSet, Callable[[], list[Condition]]] = {
    "table": table,
    "joint": joint,
    "preferences": preferences,
    "minute": minute,
    "imitation": imitation,
    "loophole": loophole,
    "care": care,
    "questions": questions,
    "cost": cost,
}


def conditions(
    name: LearnerSet,
    world: str | None = None,
    learner: str | None = None,
    options: Mapping[str, TaskOption] = NO_OPTIONS,
) -> list[Condition]:
    """The conditions of the set called `name`: all, or those of one world or of one learner.

    learner: with the set "table" also one of another package. options: those with which the worlds are made.

    ValueError, a sentence, if nothing in it is about them.
    """
    found = SETS[name]()
    if name == "table" and learner is not None and _split(learner)[0] not in BUILT_IN:
        found = [one for place in WORLDS for one in _in_table(learner, place)]
    if name == "joint" and world:
        found = [replace(one, config=replace(one.config, world=world)) for one in found]
    found = [one for one in found if world in (None, one.config.world)]
    if learner is not None:
        found = [one for one in found if _is_about(one, learner)]
    if not found:
        raise ValueError(f"nothing in the set {name!r} is about {learner or ''} {world or ''}".rstrip())
    return [replace(one, config=replace(one.config, options=options)) for one in found] if options else found


def _is_about(condition: Condition, learner: str) -> bool:
    """Whether that is its name, or its learner's, with the reward or way after a colon where told."""
    name, model = _split(learner)
    own, usual = condition.config.config, "tamer" if name == "evaluative" else "terms"
    way = own.get("method", own.get("model", usual))
    return learner == condition.name or (name == condition.config.learner and model in ("", way))


def quickly(condition: Condition) -> Condition:
    """The same with two of each and hardly any practice, to try the machinery."""
    few = {kind: min(2, number) for kind, number in condition.config.wanted().items()}
    return replace(
        condition,
        config=replace(condition.config, mix=few, budgets=({},), rounds=1, steps_per_round=8_192),
    )
