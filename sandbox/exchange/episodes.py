"""Episodes as other tools keep them, and how they become recordings of a world here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agents.feedback.records import Demonstration, active_records, new_id
from agents.io.safe_files import UnsafeFile, check_text, parse_json, shorten
from envs.external.external_task import HAS_ENDED, REWARD
from envs.gym_env import reshape_obs
from envs.simulate import simulate
from envs.trajectory import Trajectory
from envs.world import Array, Task
from sandbox.exchange.ledger import Entry, Ledger
from sandbox.exchange.preference_bundle import ID, parse_provenance
from sandbox.exchange.state_validation import InvalidRecord
from sandbox.session.folder import program_version
from sandbox.store.provenance import Provenance

OURS = "teachbox"
"""The name under which an episode says what only teachbox knows of it."""
NEAR = 1e-4


@dataclass(frozen=True)
class Episode:
    """T steps as most tools keep them; arrays as they stand in the file.

    observations [T+1, ...], actions [T, ...], rewards and terminations [T] or None. seed: what the
    environment was reset with. own: what teachbox wrote beside it (JSON); states, rng, terms likewise.
    """

    name: str
    observations: Array
    actions: Array
    rewards: Array | None = None
    terminations: Array | None = None
    seed: int | None = None
    own: str | None = None
    states: Array | None = None
    rng: Array | None = None
    terms: Array | None = None


def demonstrations(ledger: Ledger) -> list[tuple[Demonstration, Provenance]]:
    """The standing demonstrations, each with where it comes from."""
    origin = {entry.record.id: entry.provenance for entry in ledger.entries}
    kept = active_records(entry.record for entry in ledger.entries)
    return [(one, origin[one.id]) for one in kept if isinstance(one, Demonstration)]


def own_text(record: Demonstration, origin: Provenance) -> str:
    """What the file says under OURS, so that the recording comes back whole."""
    clip = record.trajectory
    prefix = None if clip.prefix is None else clip.prefix.tolist()
    said = {"record": record.id, "task": clip.task, "driver": clip.driver, "kernel": clip.kernel}
    whole = {**said, "options": dict(clip.options), "seed": clip.seed, "prefix": prefix}
    return json.dumps({**whole, "provenance": asdict(origin)}, allow_nan=False)


def entries(episodes: Iterable[Episode], world: Task, source: str) -> list[Entry]:
    """Demonstrations in `world`, one for each episode. Raises InvalidRecord or UnsafeFile with a sentence."""
    found = []
    for episode in episodes:
        if episode.own is not None:
            found.append(_restored(episode))
        else:
            origin = Provenance(source, program_version())
            found.append(Entry(Demonstration(recording(episode, world, source), new_id()), origin))
    return found


def _restored(episode: Episode) -> Entry:
    """The very record that was written."""
    name = episode.name
    own = parse_json(check_text(episode.own or "", name), f"what teachbox wrote of {name}")
    if set(own) != {"record", "task", "driver", "kernel", "options", "seed", "prefix", "provenance"}:
        raise UnsafeFile(f"{name} is not described as teachbox describes it.")
    texts = [own[key] for key in ("record", "task", "driver", "kernel")]
    fits = all(isinstance(text, str) and len(text) <= 400 for text in texts) and ID.fullmatch(own["record"])
    if not fits or not isinstance(own["options"], dict) or type(own["seed"]) not in (int, type(None)):
        raise UnsafeFile(f"{name} is described in values of a wrong kind.")
    if episode.rng is None or episode.terms is None:
        raise UnsafeFile(f"{name} lacks the infos rng and terms that teachbox writes.")
    rows = len(episode.observations)
    rng, terms = episode.rng.reshape(rows, -1), episode.terms
    if rng.shape[1] != 1 or len(terms) != rows or terms.ndim != 2:
        raise UnsafeFile(f"{name} has infos of wrong shapes.")
    states = np.zeros((rows, 0), np.float32) if episode.states is None else episode.states
    prefix = None if own["prefix"] is None else _prefix(name, own["prefix"], episode.actions)
    clip = Trajectory(
        task=own["task"],
        states=states,
        rng=rng[:, 0],
        observations=episode.observations,
        actions=episode.actions,
        terms=terms[1:],
        driver=own["driver"],
        kernel=own["kernel"],
        options=own["options"],
        seed=own["seed"],
        prefix=prefix,
    )
    return Entry(Demonstration(clip, own["record"]), parse_provenance(name, own["provenance"]))


def _prefix(name: str, value: Any, actions: Array) -> Array:
    try:
        return np.array(value, actions.dtype).reshape(-1, *actions.shape[1:])
    except (ValueError, TypeError, OverflowError) as error:
        raise UnsafeFile(f"{name} has a prefix that is no list of actions.") from error


def recording(episode: Episode, world: Task, source: str) -> Trajectory:
    """An episode recorded elsewhere, as a recording of `world`.

    With its seed it is run again and has to agree. In a world of ours there is no other way to know
    its states; in one of somebody else's it can be cloned without, but not replayed or forked.
    """
    actions = _actions(episode, world)
    driver = f"file:{source}"[:100]
    if episode.seed is not None:
        return _run_again(episode, world, actions, driver)
    if world.can_restore:
        raise InvalidRecord(
            f"{episode.name} says neither its seed nor its states, so it can't be placed in {world.id}: "
            "record it with a seed, or export it with teachbox."
        )
    return _as_seen(episode, world, actions, driver)


def _actions(episode: Episode, world: Task) -> Array:
    """The actions as this world takes them: int64 [T], or float32 [T, C]."""
    space, given = world.world.action_space, episode.actions
    if isinstance(space, spaces.Box):
        wide = int(np.prod(space.shape))
        if given.dtype.kind not in "fiu" or given.ndim < 1 or given.size != len(given) * wide:
            raise InvalidRecord(f"{episode.name} has actions of shape {list(given.shape)}, not [T, {wide}].")
        flat = given.reshape(len(given), wide).astype(np.float32)
        return np.clip(flat, space.low, space.high) if np.isfinite(flat).all() else flat
    if given.dtype.kind not in "iu" or given.size != len(given):
        raise InvalidRecord(
            f"{episode.name} has actions of type {given.dtype}, and the world counts its actions."
        )
    return given.reshape(-1).astype(np.int64)


def _run_again(episode: Episode, world: Task, actions: Array, driver: str) -> Trajectory:
    assert episode.seed is not None
    if not 0 <= episode.seed < 2**31:
        raise InvalidRecord(f"{episode.name} has the seed {shorten(episode.seed)}: it is from 0 to 2^31 - 1.")
    if len(actions) > world.horizon:
        raise InvalidRecord(
            f"{episode.name} has {len(actions)} steps, and {world.id} ends after {world.horizon}."
        )
    _check_actions_exist(episode.name, world, actions)
    simulation = simulate(world, 1, auto_reset=False)
    simulation.reset_as_env(episode.seed)
    recorder = simulation.recorder(0, driver)
    try:
        _compare(episode, world, 0, simulation.obs[0])
        for t, action in enumerate(actions):
            step = simulation.step(action[None])
            recorder.add(action, step.terms[0], simulation.states[0], int(simulation.rng[0]), step.obs[0])
            if not simulation.over[0]:
                _compare(episode, world, t + 1, step.obs[0])
    finally:
        simulation.close()
    return recorder.trajectory()


def _check_actions_exist(name: str, world: Task, actions: Array) -> None:
    """Before anything is run with them."""
    space = world.world.action_space
    if isinstance(space, spaces.Discrete):
        if len(actions) and not (actions.min() >= 0 and actions.max() < space.n):
            raise InvalidRecord(f"{name} has actions outside 0 to {int(space.n) - 1}.")
    elif not np.isfinite(actions).all():
        raise InvalidRecord(f"{name} has a NaN or an infinity in its actions.")


def _compare(episode: Episode, world: Task, t: int, seen: NDArray[np.float32]) -> None:
    """Raise InvalidRecord unless the file's observation `t` is what this world shows there."""
    told = np.asarray(episode.observations[t], np.float64).reshape(-1)
    ways = [seen[:-1]] if world.ends_early else [seen, reshape_obs(world.world, seen).reshape(-1)]
    ways.append(seen)
    near = any(len(told) == len(one) and np.allclose(told, one, NEAR, NEAR) for one in ways)
    if not near:
        raise InvalidRecord(
            f"{episode.name} is another one than {world.id} gives from seed {episode.seed} (at step {t}): "
            "it was recorded in another world, version or with other options."
        )


def _as_seen(episode: Episode, world: Task, actions: Array, driver: str) -> Trajectory:
    """An episode of a world of somebody else's, believed as it stands."""
    steps, wide = len(actions), len(world.world.obs_names) - 1
    given = episode.observations
    if given.dtype.kind not in "fiub" or len(given) != steps + 1 or given.size != (steps + 1) * wide:
        raise InvalidRecord(
            f"{episode.name} has observations of shape {list(given.shape)}; {world.id} has {wide} numbers at "
            f"each of {steps + 1} moments."
        )
    obs = np.zeros((steps + 1, wide + 1), np.float32)
    obs[:, :-1] = given.reshape(steps + 1, wide)
    terms = np.zeros((steps, len(world.world.terms)), np.float32)
    if episode.rewards is not None and len(episode.rewards) == steps:
        terms[:, REWARD] = episode.rewards
    if episode.terminations is not None and steps and bool(episode.terminations[-1]):
        terms[-1, HAS_ENDED], obs[-1, :-1], obs[-1, -1] = 1.0, 0.0, 1.0
    return Trajectory(
        task=world.id,
        states=np.zeros((steps + 1, 0), np.float32),
        rng=np.zeros(steps + 1, np.uint64),
        observations=obs,
        actions=actions,
        terms=terms,
        driver=driver,
        kernel="foreign",
        options=dict(world.options),
    )


def declared_world(text: str) -> tuple[str, dict[str, Any]] | None:
    """(world, options) as an episode of ours says it; None if it does not."""
    own = parse_json(check_text(text, "the first episode"), "what teachbox wrote")
    if isinstance(own.get("task"), str) and isinstance(own.get("options"), dict):
        return own["task"], own["options"]
    return None
