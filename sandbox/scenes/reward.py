"""Reward: the agent acts, the person says + or -, and credit goes to what was on screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pygame

from envs.show.viewer import View
from envs.trajectory import Trajectory
from sandbox.play.intents import Press
from sandbox.play.live_row import LiveRow
from sandbox.scenes.host import Host
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.widgets import Button
from sandbox.views import stage
from sandbox.views.mark_tape import MarkTape, sign
from sandbox.views.notice_layout import places
from sandbox.views.stage import Card

SPEEDS = (0.2, 0.4, 0.7, 1.0)  # of the world's own pace: people judge slower than they drive
SEGMENT_SECONDS = 2.0
REST = 1.2  # [s] that the end of an episode stays on screen, open to judgement
TEMPERATURE = 1.0


class RewardScene(Scene):
    """The newest policy plays live. A press is kept with the steps that were on screen before it."""

    mode = "reward"
    title = "Reward"
    hint = "Watch the agent and say what you think of it: + when it does well, - when it does not."

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.task = self.session.task
        self.speed = SPEEDS.index(0.4) if self.task.world.state_size else len(SPEEDS) - 1
        self.live = LiveRow(self.task, "random", step_rate=self._pace())
        self.view = View(self.task)
        self.chips, self.tape = stage.Chips(), MarkTape()
        self.paused, self.seconds_since_end = False, 0.0
        self.total = 0.0
        self.flash: tuple[float, float] = (0.0, 0.0)  # (value, seconds left)
        self._before: tuple[Trajectory, float] | None = None
        self.good = Button("good", "Good", lambda _: self._mark(1.0), cap="+")
        self.bad = Button("bad", "Bad", lambda _: self._mark(-1.0), cap="-")
        self.focus.widgets = [self.good, self.bad]
        self._start()

    def _pace(self) -> float:
        return self.task.world.steps_per_second * SPEEDS[self.speed]

    def _driver(self) -> str:
        latest = self.session.latest_snapshot
        return f"policy:{latest.step}" if latest and latest.policy else "random"

    def _start(self) -> None:
        self.live.driver = self._driver()
        self.live.start(int(self.host.random.integers(1 << 30)))
        self.live.steps_since_shown = 0.0
        self.seconds_since_end = 0.0
        self.tape.step(first=True)

    def _mark(self, value: float) -> None:
        """Keep a press with the steps on screen up to it."""
        length = max(6, round(SEGMENT_SECONDS * self.live.step_rate))
        steps = len(self.live)
        if steps == 0 and self._before is not None:  # it is about the end that has just left the screen
            segment, at = self._before
            delay = (self.tape.now - at) * self.live.step_rate
        elif steps == 0:
            self.host.toast("Wait until the agent has done something.", "info")
            return
        else:
            segment, delay = self.live.trajectory(), self.live.steps_since_shown
        segment = segment.clip(len(segment) - length, len(segment))
        record = self.session.add_evaluation(segment, value, float(delay), rate=self.live.step_rate)
        self.tape.mark(value, record)
        self.total += value
        self.flash = (value, 0.5)
        self.host.sounds.play("plus" if value > 0 else "minus")

    def choices(self) -> Mapping[str, float]:
        return {"speed": SPEEDS[self.speed]}

    def take_up(self, choices: Mapping[str, float]) -> None:
        if choices.get("speed") in SPEEDS:
            self.speed = SPEEDS.index(choices["speed"])
            self.live.step_rate = self._pace()

    def actions(self) -> Mapping[str, Action]:
        return {
            "good": self.on_good,
            "bad": self.on_bad,
            "very_good": self.on_very_good,
            "very_bad": self.on_very_bad,
            "undo": self.on_undo,
            "pause": self.on_pause,
            "restart": self.on_restart,
            "speed": self.on_speed,
        }

    def on_good(self, press: Press) -> None:
        self._mark(1.0)

    def on_bad(self, press: Press) -> None:
        self._mark(-1.0)

    def on_very_good(self, press: Press) -> None:
        self._mark(2.0)

    def on_very_bad(self, press: Press) -> None:
        self._mark(-2.0)

    def on_undo(self, press: Press) -> None:
        undone = self.session.undo("evaluation")
        if undone is None:
            self.host.toast("No reward to take back.", "undo", "undo")
            return
        mark = self.tape.take_back()
        self.total -= mark.value if mark else 0.0
        self.host.toast("Took back the last reward.", "undo", "undo")

    def on_pause(self, press: Press) -> None:
        self.paused = not self.paused

    def on_restart(self, press: Press) -> None:
        self._keep_recording()
        self._start()

    def on_speed(self, press: Press) -> None:
        step = -1 if press.key == "[" else 1
        self.speed = min(max(self.speed + step, 0), len(SPEEDS) - 1)
        self.live.step_rate = self._pace()
        self.host.toast(f"The agent runs at {self.live.step_rate:.3g} steps a second.", "info")

    def _keep_recording(self) -> None:
        if len(self.live):
            self._before = (
                self.live.trajectory(),
                self.tape.now - self.live.steps_since_shown / self.live.step_rate,
            )

    def update(self, dt: float) -> None:
        self.flash = (self.flash[0], max(0.0, self.flash[1] - dt))
        if self.paused:
            return
        self.tape.advance(dt)
        self.chips.update(dt)
        self.live.events.advance(dt)
        due = self.live.advance(dt)
        if self.live.ended:
            self.seconds_since_end += dt
            if self.seconds_since_end > REST:
                self._keep_recording()
                self._start()
        elif due:
            actions = self.session.act(self.live.obs, self.host.random, TEMPERATURE)
            self.chips.add(self.live.step(actions[0]))
            self.tape.step()
            self.live.ended = self.live.ended or self.live.is_done_early

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        picture, column = stage.split(rect, theme)
        line = pygame.Rect(picture.left, 0, picture.width, theme.px(84))
        line.bottom = picture.bottom
        room = pygame.Rect(picture.left, picture.top, picture.width, line.top - picture.top - theme.px(12))
        world, chips, self.host.toast_area = places(room, self.view.aspect, theme)
        self.view.live(surface, world, self.live.sim, before=self.live.before, blend=self.live.blend)
        if chips != self.host.toast_area or not self.host.news.toasts:  # in a small window they share a row
            self.chips.draw(surface, theme, chips)
        color, width = look.LINE, 2
        value, left = self.flash
        if left > 0:
            color, width = look.GOOD if value > 0 else look.BAD, 4
            self._float(surface, world, value, left)
        stage.draw_border(surface, theme, world, color, width)
        if self.live.ended:
            label = "the end, what do you think?"
            badges.badge(
                surface,
                theme,
                label,
                (world.left + theme.px(10), world.bottom - theme.px(22)),
                look.WARN,
                "flag",
            )
        if self.paused:
            badges.badge(
                surface,
                theme,
                "PAUSED",
                (world.left + theme.px(10), world.top + theme.px(22)),
                look.WARN,
                "pause",
            )
        self.tape.draw(surface, theme, line)
        self._column(surface, column)

    def _float(self, surface: pygame.Surface, world: pygame.Rect, value: float, left: float) -> None:
        """The sign that rises over the picture when a key is pressed."""
        theme = self.host.theme
        size = theme.px(26 if abs(value) > 1 else 19)
        layer = pygame.Surface((2 * size + 4, 2 * size + 4), pygame.SRCALPHA)
        sign(layer, (size + 2, size + 2), size, value, look.GOOD if value > 0 else look.BAD)
        layer.set_alpha(round(255 * min(1.0, left / 0.3)))
        y = world.bottom - theme.px(60) - (0.5 - left) * theme.px(120)
        surface.blit(layer, layer.get_rect(center=(world.centerx, round(y))))

    def _column(self, surface: pygame.Surface, column: pygame.Rect) -> None:
        theme = self.host.theme
        gap, high = theme.px(12), theme.px(44)
        latest = self.session.latest_snapshot
        if latest is None or latest.policy is None:
            text = "It has learned nothing yet and acts at random. Reward what you like all the same."
        else:
            text = "A press counts for about the last half second: no hurry. It learns meanwhile."
        keys = [(("K", "J"), "twice as good, as bad")]
        card = Card("Judge the agent", text, look.ACCENT, "thumbs-up", keys)
        wanted = stage.card_height(theme, column.width, card) + gap + high
        above, low = stage.stacked(column, theme, self.live.events, wanted)
        used = stage.draw_info_card(surface, theme, above, card)
        half = (column.width - gap) // 2
        self.good.draw(surface, theme, pygame.Rect(column.left, used.bottom + gap, half, high))
        self.bad.draw(surface, theme, pygame.Rect(column.left + half + gap, used.bottom + gap, half, high))
        stage.draw_episode_summary(surface, theme, low, self.live)

    def state_entries(self) -> dict[str, Any]:
        return {
            "mode": "paused" if self.paused else ("ended" if self.live.ended else "running"),
            "step": self.live.step_number,
            "seed": self.live.seed,
            "marks": len(self.tape.marks),
            "standing": self.tape.standing,
            "total": self.total,
            "speed": SPEEDS[self.speed],
            "driver": self.live.driver,
        }
