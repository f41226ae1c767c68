"""Drive: the person controls the world; what is kept becomes a demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pygame

from envs.show.viewer import RecordingView, View
from sandbox.play.episode_end import why_over
from sandbox.play.intents import Intent, Pointer, Press
from sandbox.play.latch import Latch, driving_keys
from sandbox.play.live_row import LiveRow
from sandbox.play.playback import Playback
from sandbox.scenes.host import Host
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.views import stage
from sandbox.views.notice_layout import places
from sandbox.views.stage import Card


class DriveScene(Scene):
    """Phases: ready (nothing driven yet), driving, paused, ended (a replay runs: keep it or not)."""

    mode = "drive"
    title = "Drive"
    hint = (
        "Show how it is done: drive with the arrow keys, then keep what you drove. The agent learns from it."
    )

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        task = self.session.task
        self.task = task
        self.live = LiveRow(task, "person")
        self.live.waits_for_keys = self.host.settings.time_waits(task.id, self.live.stepwise)
        self.latch = Latch(driving_keys(task.keys), stepwise=self.live.stepwise)
        self.view = View(task)
        self.chips = stage.Chips()
        self.phase = "ready"
        self.recording_view: RecordingView | None = None
        self.replay: Playback | None = None
        self.kept = 0
        self._dropped: LiveRow | None = None  # what was driven before the last start
        self._can_restore = False
        self._start()

    def _start(self, seed: int | None = None) -> None:
        self.live.start(int(self.host.random.integers(1 << 30)) if seed is None else seed)
        self.latch.clear()
        self.chips.clear()
        self.recording_view = self.replay = None
        self.phase = "ready"

    def _drop(self, seed: int | None = None) -> bool:
        """Another start; what has been driven stays aside for Undo. False if nothing has been."""
        driven = len(self.live) > 0
        if driven:
            other = self._dropped or LiveRow(self.task, "person")
            other.waits_for_keys = self.live.waits_for_keys
            self._dropped, self.live, self._can_restore = self.live, other, True
        self._start(seed)
        return driven

    def _restore(self) -> bool:
        """Bring back what was dropped last; False if there is nothing, or if driving has begun again."""
        dropped, following = self._dropped, self.live
        if dropped is None or not self._can_restore or len(following):
            return False
        dropped.waits_for_keys = following.waits_for_keys
        self._dropped, self.live, self._can_restore = following, dropped, False
        self.latch.clear()
        self.chips.clear()
        if dropped.ended or dropped.is_done_early:
            self._end()
        else:
            self.phase = "driving" if dropped.waits_for_keys else "paused"
        return True

    def leave(self) -> None:
        self.blur()

    def blur(self) -> None:
        """Held keys are forgotten; a world that goes on by itself waits."""
        self.latch.clear()
        if self.phase == "driving" and not self.live.waits_for_keys:
            self.phase = "paused"

    def actions(self) -> Mapping[str, Action]:
        return {
            "drive": self.on_drive,
            "keep": self.on_keep,
            "discard": self.on_discard,
            "restart": self.on_restart,
            "pause": self.on_pause,
            "time_waits": self.on_time_waits,
            "undo": self.on_undo,
        }

    def bindings(self) -> Sequence[Binding]:
        what = "let time run" if self.live.waits_for_keys else "make time wait"
        mine = [replace(b, what=what) if b.action == "time_waits" else b for b in BINDINGS["drive"]]
        return stage.with_world_keys(mine, self.task.keys)

    def handle(self, event: Intent) -> Scene | None:
        if not isinstance(event, Pointer) and self.latch.feed(event):
            if isinstance(event, Press) and not event.repeat:
                self._drive()
            return None
        return super().handle(event)

    @property
    def taps(self) -> int:
        """Taps whose steps need not wait for the world's pace."""
        return self.latch.waiting_taps if self.live.stepwise and self.live.waits_for_keys else 0

    def _drive(self) -> None:
        if self.phase == "ready":
            self.phase = "driving"
        elif self.phase == "paused":
            self.host.toast("Paused: press Space to go on.", "info")
            self.latch.clear()
        elif self.phase == "ended":
            self.host.toast("This drive is over: Enter keeps it, Backspace throws it away.", "info")
            self.latch.clear()

    def on_drive(self, press: Press) -> None:
        """Driving keys go to the latch, which takes them before this."""

    def on_keep(self, press: Press) -> None:
        if not len(self.live):
            self.host.toast("Nothing to keep yet: drive first, with the arrow keys.", "info")
            return
        steps = len(self.live)
        self.session.add_demonstration(self.live.trajectory())
        self.kept += 1
        self._can_restore = False
        self._start()
        self.host.toast(f"Keeping {steps} steps. Here is another start.", "good")

    def on_discard(self, press: Press) -> None:
        driven = self._drop()
        told = "Thrown away: U brings it back. Here is another start."
        self.host.toast(told if driven else "Another start.", "info", "undo")

    def on_restart(self, press: Press) -> None:
        driven = self._drop(self.live.seed)
        self.host.toast("Again from the same start." + (" U brings it back." if driven else ""), "info")

    def on_pause(self, press: Press) -> None:
        if self.phase in ("driving", "paused"):
            self.phase = "paused" if self.phase == "driving" else "driving"
            self.latch.clear()
        elif self.phase == "ready":
            self.phase = "driving"
        elif self.replay is not None:
            self.replay.toggle()

    def on_time_waits(self, press: Press) -> None:
        self.live.waits_for_keys = not self.live.waits_for_keys
        self.host.settings.set_time_waits(self.task.id, self.live.waits_for_keys)
        told = (
            "Time waits for your keys now."
            if self.live.waits_for_keys
            else "The world goes on by itself now."
        )
        self.host.toast(self.host.settings.error or told)

    def on_undo(self, press: Press) -> None:
        if self._restore():
            self.host.toast("Here is what you had thrown away.", "undo", "undo")
            return
        undone = self.session.undo("demonstration")
        self.host.toast(
            "Took back the last kept drive." if undone else "No kept drive to take back.", "undo", "undo"
        )

    def update(self, dt: float) -> None:
        self.chips.update(dt)
        self.live.events.advance(dt)
        if self.phase == "ended" and self.replay is not None:
            self.replay.advance(dt)
        self.latch.advance(dt)
        if self.phase != "driving":
            self.live.steps_since_shown = min(
                1.0,
                self.live.steps_since_shown + (dt * self.live.step_rate if self.phase == "ended" else 0.0),
            )
            return
        if self.live.advance_for_taps(dt, self.taps) and (
            self.latch.has_action or not self.live.waits_for_keys
        ):
            key = self.latch.next_action(self.task.keys)
            happened = self.live.step(self.task.keys.get(key, self.task.world.idle_action))
            self.chips.add(happened)
            if any(term.name in ("crash", "vase") for term in happened):
                self.host.sounds.play("crash")
            if self.live.ended or self.live.is_done_early:
                self._end()
        elif self.live.waits_for_keys:
            self.live.steps_since_shown = min(self.live.steps_since_shown, 1.0)

    def _end(self) -> None:
        self.phase = "ended"
        self.latch.clear()
        trajectory = self.live.trajectory()
        self.recording_view = RecordingView(self.task, trajectory, self.view)
        self.replay = Playback.of([trajectory], self.live.step_rate)

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        picture, column = stage.split(rect, theme)
        world, chips, self.host.toast_area = places(picture, self.view.aspect, theme)
        if self.recording_view is not None and self.replay is not None:
            self.recording_view.draw(surface, world, self.replay.position)
            badges.badge(
                surface,
                theme,
                "REPLAY",
                (world.left + theme.px(10), world.top + theme.px(22)),
                look.WARN,
                "repeat",
            )
        else:
            self.view.live(surface, world, self.live.sim, before=self.live.before, blend=self.live.blend)
        if chips != self.host.toast_area or not self.host.news.toasts:  # in a small window they share a row
            self.chips.draw(surface, theme, chips)
        if self.phase == "paused":
            badges.curtain(surface, world, 120)
            theme.text(surface, "Paused", world.center, "hero", bold=True, anchor="center")
        stage.draw_border(surface, theme, world, look.ACCENT if self.phase == "driving" else look.LINE, 2)
        self._column(surface, column)

    def _column(self, surface: pygame.Surface, column: pygame.Rect) -> None:
        theme = self.host.theme
        card = self._phase_card()
        above = stage.card_height(theme, column.width, card)
        high, low = stage.stacked(column, theme, self.live.events, above)
        stage.draw_info_card(surface, theme, high, card)
        stage.draw_episode_summary(surface, theme, low, self.live)

    def _phase_card(self) -> Card:
        keep = [(("Enter",), "keep it"), (("Backspace",), "throw it away")]
        match self.phase:
            case "ready":
                text = (
                    " The world waits for you."
                    if self.live.waits_for_keys
                    else " It starts with your first key."
                )
                keys = stage.driving_hints(self.task)
                if self.session.counts.get("demonstration", 0) > 1:
                    keys.append((("F6",), "or watch it learn"))
                return Card("Your turn", self.task.about + text, look.ACCENT, "gamepad-2", keys)
            case "paused":
                return Card("Paused", "Nothing moves.", look.WARN, "pause", [(("Space",), "go on"), *keep])
            case "ended":
                text = f"{why_over(self.live)} Was that how it should be done? If so, keep it."
                return Card("The end", text, look.GOOD, "flag", [*keep, (("R",), "try again from the start")])
            case _:
                return Card("You are driving", self.task.about, look.ACCENT, "gamepad-2", keep)

    def state_entries(self) -> dict[str, Any]:
        return {
            "mode": self.phase,
            "step": self.live.step_number,
            "driven": len(self.live),
            "seed": self.live.seed,
            "waits": self.live.waits_for_keys,
            "held": list(self.latch.held),
            "kept": self.kept,
            "replaying": bool(self.replay and self.replay.playing),
            "terms": {
                t.name: round(float(s), 3)
                for t, s in zip(self.live.events.terms, self.live.events.sums, strict=True)
            },
        }
