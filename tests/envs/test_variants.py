"""Every task, seen and driven in every way there is: checkers of others, and runs that repeat to the bit.

The variants come from the catalogue (`envs.variants`), so a new one is held to this by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common import env_checker as sb3

from envs import task_catalog, variants
from envs.world import OBS_BOUND
from tests.envs.rollouts import actions_of, digests, made, seeds_for

NAMES = list(variants.named())
COUNTS = [3, pytest.param(1000, marks=pytest.mark.slow)]
ROOT = Path(__file__).parents[2]


@cache
def elsewhere(count: int) -> dict[str, dict[str, str]]:
    """Digests of rollouts by another process, made once for all variants."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "digests.json"
        subprocess.run([sys.executable, "-m", "tests.envs.rollouts", str(count), out], check=True, cwd=ROOT)
        found: dict[str, dict[str, str]] = json.loads(out.read_text())
    return found


@pytest.mark.parametrize("id", task_catalog.task_ids())
def test_every_keyword_of_a_task_is_a_view_or_named_as_something_else(id: str) -> None:
    unknown = variants.keywords_of(id) - set(variants.VIEWS) - set(variants.BESIDES)
    assert not unknown, f"say in envs/variants.py what {unknown} are"
    views = variants.views(id)
    assert views[0] == {}
    assert len({json.dumps(options) for options in views}) == len(views)
    for options in views:
        made_so = task_catalog.task(id, **options)
        assert {**made_so.options, **options} == made_so.options, "what it was made with is told"


@pytest.mark.parametrize("name", NAMES)
def test_both_checkers_pass_without_a_warning(name: str) -> None:
    id, options = variants.named()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if options.get("observation") == "grid":  # SB3 takes anything with three axes for a picture
            warnings.filterwarnings("ignore", "It seems that your observation")
            warnings.filterwarnings("ignore", "The minimal resolution for an image is 36x36")
            warnings.filterwarnings("ignore", "Treating image space as channels-last")
        check_env(gymnasium.make(id, **options).unwrapped)
        sb3.check_env(gymnasium.make(id, split="test", **options))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", NAMES)
def test_alone_together_in_any_order_and_elsewhere_are_bit_identical(name: str, count: int) -> None:
    task = made(name)
    seeds = seeds_for(task, count)
    shuffled = np.random.default_rng(5).permutation(seeds)
    together = digests(task, shuffled, 64)
    assert together == digests(task, seeds, 1)
    assert {str(seed): digest for seed, digest in together.items()} == elsewhere(count)[name]
    assert len(set(together.values())) == len(seeds), "different seeds, different rollouts"


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_in_the_middle_goes_on_bit_identically(name: str, count: int) -> None:
    task = made(name)
    seeds, middle = seeds_for(task, count), task.horizon // 2
    whole = digests(task, seeds, 64, since=middle)
    assert whole == digests(task, seeds, 64, since=middle, restored=True)
    assert whole == digests(task, seeds[:3], 1, since=middle, restored=True) | {
        seed: digest for seed, digest in whole.items() if seed > 2
    }


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_bounds(name: str) -> None:
    from envs.simulation import Simulation

    task = made(name)
    world, sim = task.world, Simulation(task, 3, seed=1)
    assert int(np.prod(world.obs_shape)) == len(world.obs_names)
    for now in np.stack([actions_of(task, seed, task.horizon + 2) for seed in range(3)], axis=1):
        step = sim.step(now)
        assert step.obs.shape == (3, len(world.obs_names))
        assert step.terms.shape == (3, len(world.terms))
        for one in (step.obs, step.last_obs, step.terms, step.last_states):
            assert np.isfinite(one).all()
        assert np.abs(step.obs).max() <= OBS_BOUND
        wish = task.true_reward(step.last_states, step.terms, step.last_states)
        assert wish.shape == (3,)
        assert np.isfinite(wish).all()
    for key, action in task.keys.items():
        assert np.asarray(action, world.action_space.dtype) in world.action_space, key
