"""Watch: it shows the newest snapshot, obeys its keys, and never holds up a frame for long."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pygame
import pytest

from agents.learner_catalog import LEARNERS
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import CurvePoint
from envs import task_catalog
from envs.rooms.rooms_state_layout import cells_of
from envs.rooms.rooms_tasks import rooms_tidy
from envs.world import Task
from sandbox.scenes.watch import WatchScene
from sandbox.views import progress_panel
from sandbox.views.xray import Overlay, XRay, normalised
from sandbox.window.app import App
from tests.sandbox.teaching import Teaching, frames, policy, press, snapshot

TASK: Task = rooms_tidy()
STAY, RIGHT = 0, 2


@pytest.fixture
def session() -> Teaching:
    session = Teaching(TASK)
    session.show(1, policy=policy(TASK, action=STAY))
    return session


@pytest.fixture
def app(session: Teaching) -> Iterator[App]:
    app = App(session, size=(1000, 640), fixed_dt=True, seed=1)  # type: ignore[arg-type]
    app.show_mode("watch")
    app.tick()
    yield app
    app.close()


def scene(app: App) -> WatchScene:
    assert isinstance(app.scene, WatchScene)
    return app.scene


def overlay(app: App, old: Overlay | None = None) -> Overlay:
    """The painted reward, another than `old`, in however many frames a busy machine has the time for it."""
    for _ in range(1000):
        painted = scene(app).arena.xray.overlay
        if painted is not None and painted is not old:
            return painted
        app.tick()
    raise AssertionError("nothing new was painted in 1,000 frames")


def test_the_agent_changes_while_one_looks(app: App, session: Teaching) -> None:
    crowd = scene(app).arena.crowd
    start = crowd.states[0].copy()
    frames(app, 60)
    place = TASK.world.agent_position
    np.testing.assert_array_equal(place(crowd.states), place(start[None]))
    session.show(2, policy=policy(TASK, action=RIGHT))
    frames(app, 60)
    wall = place(crowd.states)[0]
    assert wall[0] >= place(start[None])[0][0]
    assert crowd._sums[0][list(TASK.world.term_names).index("move")] > 5


def test_modes_go_round_and_each_draws(app: App) -> None:
    seen, pictures = [], []
    for _ in range(3):
        seen.append(app.state()["mode"])
        frames(app, 10)
        pictures.append(pygame.surfarray.array3d(app.surface).astype(int))
        press(app, "g")
    assert seen == ["agent", "ghosts", "swarm"]
    assert app.state()["mode"] == "agent"
    assert np.abs(pictures[2] - pictures[0]).mean() > 5
    press(app, "b")
    assert app.state()["mode"] == "then"
    press(app, "b")
    assert app.state()["mode"] == "agent"


def test_then_and_now_start_alike_and_act_by_their_own_policies(app: App, session: Teaching) -> None:
    session.show(2, policy=policy(TASK, action=RIGHT))
    press(app, "b")
    crowd = scene(app).arena.crowd
    np.testing.assert_array_equal(crowd.states[0], crowd.states[1])
    frames(app, 30)
    moves = crowd._sums[:, list(TASK.world.term_names).index("move")]
    assert moves[0] == 0  # the first policy stays where it is
    assert moves[1] > 0


def test_the_painted_reward_is_the_learned_one(app: App, session: Teaching) -> None:
    assert scene(app).arena.xray.overlay is None
    press(app, "x")
    painted = overlay(app)
    state = scene(app).arena.crowd.states[0]
    where, value = XRay(TASK).paint(state, session.latest_snapshot.reward)
    np.testing.assert_array_equal(painted[0], where)
    np.testing.assert_allclose(painted[1], normalised(value), atol=1e-5)
    cells = cells_of(state).reshape(9, 9)
    litter = cells[where[:, 1], where[:, 0]] == 4
    assert litter.any()
    assert value[litter].min() > value[~litter].max()
    plain = pygame.surfarray.array3d(app.surface)
    press(app, "space", "x")
    assert (pygame.surfarray.array3d(app.surface) != plain).any()
    assert app.state()["extra"]["painted"] is False


def test_a_new_reward_is_painted_anew(app: App, session: Teaching) -> None:
    press(app, "x")
    old = overlay(app)
    session.show(
        2, reward=RewardArrays(-session.latest_snapshot.reward.weights), policy=policy(TASK, action=STAY)
    )
    np.testing.assert_allclose(overlay(app, old)[1], -old[1], atol=1e-5)
    session.show(3, reward=None)
    frames(app, 2)
    assert scene(app).arena.xray.overlay is None


def test_the_learner_obeys(app: App, session: Teaching) -> None:
    press(app, "space", "space", "f", "f")
    assert session.calls == ["pause", "resume", "restart"]


def test_another_learner_is_chosen_from_the_list(app: App, session: Teaching) -> None:
    press(app, "l")
    assert app.state()["mode"] == "learners"
    press(app, "escape")
    assert app.state()["mode"] == "agent"
    press(app, "l", "enter")
    assert session.calls == []  # the same one again
    names = list(LEARNERS)
    press(app, "l", "down", "down", "enter")
    assert session.calls == [f"learner {names[(names.index('joint') + 2) % len(names)]}"]
    assert app.state()["mode"] == "agent"
    press(app, "left", "g")  # the list has let go of the keyboard
    assert app.state()["mode"] == "ghosts"


def test_speed_holds_for_every_mode(app: App) -> None:
    press(app, "]")
    crowd = scene(app).arena.crowd
    before = len(crowd.trails[0])
    frames(app, 60)
    assert len(crowd.trails[0]) - before == pytest.approx(20, abs=1)
    press(app, "g")
    assert scene(app).arena.crowd.clock.speed == 2.0
    press(app, "[", "[")
    assert app.state()["extra"]["speed"] == 0.5


def test_undo_takes_back_the_last_of_any_kind(app: App, session: Teaching) -> None:
    press(app, "u")
    assert "nothing to take back" in app.news.message
    session.add_evaluation(None, 1.0)
    press(app, "u")
    assert session.counts["evaluation"] == 0


def test_before_there_is_a_policy_it_says_so() -> None:
    app = App(Teaching(TASK), fixed_dt=True)  # type: ignore[arg-type]
    app.theme.trace = []
    app.show_mode("watch")
    press(app, "x", "g", "g", "b", "p", "p")
    frames(app, 3)
    assert any("acts at random" in text for text, _ in app.theme.trace)
    app.close()


def test_charts_are_painted_once_per_new_data(app: App, session: Teaching) -> None:
    column = scene(app).progress_panel
    frames(app, 60)
    assert column._lines.painted == 1
    for step in range(2, 12):
        session.show(step)
        frames(app, 6)
    assert 2 <= column._lines.painted <= 5  # ten snapshots in a second, but twice or so a second is enough
    press(app, "p")
    assert app.state()["extra"]["page"] == "Reward"


def test_curves_by_kind() -> None:
    values = {"learned reward": 1.0, "done on unseen layouts": 0.5, "agreement": 0.9, "term litter": 3.0}
    later = {**values, "term litter": 1.0, "agreement before learning": 0.4}
    curve = [CurvePoint(0, 10, 0, values), CurvePoint(1, 20, 1, later)]
    shares, rest = progress_panel.page_names(curve)
    assert shares == ["done on unseen layouts", "agreement"]
    assert rest == ["learned reward"]
    (done, agreement) = progress_panel.series_of(curve, shares)
    assert (done.name, done.xs.tolist(), done.ys.tolist()) == ("task done", [10, 20], [0.5, 0.5])
    assert agreement.ys.tolist() == [0.9, 0.9]
    bar = progress_panel.episode_term_bars(TASK, curve)[0]
    assert (bar.name, bar.reference, bar.text) == ("litter", 1.0, "1  was 3")
    assert bar.value == pytest.approx(1 / 3)
    assert progress_panel.page_names([]) == ([], [])
    assert progress_panel.episode_term_bars(TASK, []) == []


def test_a_reward_without_terms_tells_what_moves_it() -> None:
    weights = np.zeros((2, len(TASK.world.terms)), np.float32)
    net = ((np.zeros((3, 1), np.float32), np.zeros(1, np.float32)),)
    by_net = snapshot(
        TASK, 1, reward=RewardArrays(weights, nets=(net,)), saliency={"angle": -2.0, "cart": 1.0}
    )
    title, _, bars = progress_panel.reward_bars(TASK, by_net)
    assert "by what it sees" in title
    assert [(bar.name, bar.value) for bar in bars] == [("angle", -1.0), ("cart", 0.5)]
    assert "by term" in progress_panel.reward_bars(TASK, snapshot(TASK, 1))[0]
    assert progress_panel.reward_bars(TASK, None)[2] == []


def test_learned_weights_stand_beside_the_written_ones() -> None:
    terms = len(TASK.world.terms)
    weights = np.zeros((2, terms), np.float32)
    weights[:, 0], weights[:, 1] = (2.0, 4.0), (-6.0, -6.0)
    bars = progress_panel.term_weight_bars(TASK, RewardArrays(weights))
    assert bars[0].value == pytest.approx(0.5)
    assert bars[0].members == pytest.approx((1 / 3, 2 / 3))
    assert bars[1].value == pytest.approx(-1.0)
    assert [bar.reference for bar in bars] == pytest.approx(
        list(TASK.proxy_weights / abs(TASK.proxy_weights).max())
    )
    assert progress_panel.term_weight_bars(TASK, None) == []


@pytest.mark.parametrize("world", ["teachbox/LanesCruise-v0", "CartPole-v1"])
def test_other_worlds_can_be_watched(world: str) -> None:
    task = task_catalog.task(world)
    session = Teaching(task)
    app = App(session, fixed_dt=True)  # type: ignore[arg-type]
    app.show_mode("watch")
    session.show(1)
    for key in ("x", "g", "g", "b", "p"):
        press(app, key)
        frames(app, 12)
    drawn = pygame.surfarray.array3d(app.surface)
    assert drawn.std() > 10
    app.close()


@pytest.mark.parametrize("size", [(800, 560), (1000, 640), (1920, 1080)])
@pytest.mark.parametrize("keys", ["", "gg", "b", "l"])
def test_no_text_is_drawn_outside_the_window(size: tuple[int, int], keys: str) -> None:
    session = Teaching(TASK)
    for step in range(1, 30):
        session.show(step)
    app = App(session, size=size, fixed_dt=True)  # type: ignore[arg-type]
    app.show_mode("watch")
    press(app, *keys)
    app.theme.trace = []
    app.tick()
    window = pygame.Rect((0, 0), size)
    assert app.theme.trace
    assert [text for text, rect in app.theme.trace if not window.contains(rect)] == []
    app.close()


def test_the_counters_are_not_cut_in_a_small_window() -> None:
    session = Teaching(TASK)
    app = App(session, size=(640, 480), fixed_dt=True)  # type: ignore[arg-type]
    session.show(1117, feedback_counts={"comparison": 10})
    app.show_mode("watch")
    frames(app, 30)
    app.theme.trace = []
    app.draw()
    told = [text for text, _ in app.theme.trace]
    assert "4.6M" in told
    assert "learned" in told
    app.close()
