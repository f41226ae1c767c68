"""Correct: stop the agent at any moment, take the controls, and show what it should have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pygame

from envs.show.viewer import RecordingView, View
from sandbox.play.episode_end import why_over
from sandbox.play.intents import Intent, Pointer, Press
from sandbox.play.playback import term_events
from sandbox.play.takeover import Takeover
from sandbox.scenes.host import Host
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.screen.widgets import Slider
from sandbox.views import stage
from sandbox.views.notice_layout import places
from sandbox.views.stage import Card

SPEEDS = (0.2, 0.4, 0.7, 1.0)  # of the world's own pace
AGENT_KEYS = ("pause", "scrub", "take", "speed", "restart", "undo")
PERSON_KEYS = ("drive", "keep", "discard", "pause")


class CorrectScene(Scene):
    """The screen and the keys of a Takeover."""

    mode = "correct"
    title = "Correct"
    hint = (
        "When the agent goes wrong, stop it, step back, take the controls and show what it should have done."
    )

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.task = self.session.task
        self.view = View(self.task)
        self.chips = stage.Chips()
        self.speed = SPEEDS.index(0.4) if self.task.world.state_size else len(SPEEDS) - 1
        self.takeover = Takeover(self.task, self._act, self._pace())
        self.kept = 0
        self._agent_recording: RecordingView | None = None
        self.slider = Slider("moment", 0, 1, 0, lambda moment: self._scrub_to(round(moment)))
        self.focus.widgets = [self.slider]
        self._start()

    def _act(self, obs: Any) -> Any:
        return self.session.act(obs, self.host.random)[0]

    def _pace(self) -> float:
        return self.task.world.steps_per_second * SPEEDS[self.speed]

    def _driver(self) -> str:
        latest = self.session.latest_snapshot
        return f"policy:{latest.step}" if latest and latest.policy else "random"

    def _start(self) -> None:
        self.takeover.start(int(self.host.random.integers(1 << 30)), self._driver())
        self._agent_recording = None
        self.chips.clear()

    def enter(self) -> None:
        person = self.takeover.person
        person.waits_for_keys = self.host.settings.time_waits(self.task.id, person.stepwise)

    def leave(self) -> None:
        self.blur()

    def blur(self) -> None:
        """Held keys are forgotten; a world that goes on by itself waits."""
        self.takeover.latch.clear()
        if self.takeover.phase == "driving" and not self.takeover.person.waits_for_keys:
            self.takeover.toggle()

    def choices(self) -> Mapping[str, float]:
        return {"speed": SPEEDS[self.speed]}

    def take_up(self, choices: Mapping[str, float]) -> None:
        if choices.get("speed") in SPEEDS:
            self.speed = SPEEDS.index(choices["speed"])
            self.takeover.agent.step_rate = self._pace()

    def actions(self) -> Mapping[str, Action]:
        return {
            "drive": self.on_drive,
            "pause": self.on_pause,
            "scrub": self.on_scrub,
            "speed": self.on_speed,
            "restart": self.on_restart,
            "take": self.on_take_over,
            "keep": self.on_keep,
            "discard": self.on_discard,
            "undo": self.on_undo,
        }

    def bindings(self) -> Sequence[Binding]:
        if not self.takeover.is_person_driving:
            return [b for b in BINDINGS["correct"] if b.action in AGENT_KEYS]
        mine = [b for b in BINDINGS["correct"] if b.action in PERSON_KEYS]
        return stage.with_world_keys(mine, self.task.keys)

    def handle(self, event: Intent) -> Scene | None:
        if (
            self.takeover.is_person_driving
            and not isinstance(event, Pointer)
            and self.takeover.latch.feed(event)
        ):
            if isinstance(event, Press) and not event.repeat:
                self._drive()
            return None
        return super().handle(event)

    # What the keys do.

    def _drive(self) -> None:
        if self.takeover.phase == "taken":
            self.takeover.phase = "driving"
        elif self.takeover.phase in ("halted", "stopped"):
            self.takeover.latch.clear()
            halted = self.takeover.phase == "halted"
            self.host.toast("Space goes on." if halted else "Enter keeps it, Backspace throws it away.")

    def on_drive(self, press: Press) -> None:
        """Driving keys go to the latch, which takes them before this."""

    def on_pause(self, press: Press) -> None:
        self.takeover.toggle()

    def on_scrub(self, press: Press) -> None:
        step = -1 if press.key == "," else 1
        self._scrub_to(round(self.takeover.position) + step)

    def _scrub_to(self, moment: int) -> None:
        self.takeover.scrub_to(moment)
        self.chips.clear()
        self.chips.add(self.takeover.events_at(int(self.takeover.position)))

    def on_speed(self, press: Press) -> None:
        step = -1 if press.key == "[" else 1
        self.speed = min(max(self.speed + step, 0), len(SPEEDS) - 1)
        self.takeover.agent.step_rate = self._pace()
        self.host.toast(f"The agent runs at {self._pace():.3g} steps a second.")

    def on_restart(self, press: Press) -> None:
        self._start()

    def on_take_over(self, press: Press) -> None:
        self.chips.clear()
        try:
            if not self.takeover.take_over():
                self.host.toast("The episode is over here: step back with the , key first.")
        except ValueError as error:  # a world of somebody else's that does not repeat itself
            self.host.show_error(str(error))

    def on_keep(self, press: Press) -> None:
        steps = len(self.takeover.person)
        if not steps:
            self.host.toast("Nothing to keep yet: drive first.")
            return
        self.session.add_correction(*self.takeover.paired_recordings())
        self.kept += 1
        self._agent_recording = None
        self.chips.clear()
        if self.takeover.resume_agent(self._driver()):
            then = "The agent goes on from where you left it."
        else:
            self._start()
            then = "The agent begins somewhere else."
        self.host.toast(f"Kept {steps} steps. {then}", "good")

    def on_discard(self, press: Press) -> None:
        self.chips.clear()
        told = " U brings it back." if len(self.takeover.person) else ""
        self.takeover.discard_takeover()
        self.host.toast(f"Thrown away: back to the agent.{told}", "info", "undo")

    def on_undo(self, press: Press) -> None:
        if self.takeover.restore_takeover():
            self.chips.clear()
            self.host.toast("Here is what you had thrown away.", "undo", "undo")
            return
        undone = self.session.undo("correction")
        text = "Took back the last correction." if undone else "No correction to take back."
        self.host.toast(text, "undo", "undo")

    def update(self, dt: float) -> None:
        self.chips.update(dt)
        self.chips.add(self.takeover.update(dt))

    # The picture.

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme, mine = self.host.theme, self.takeover.is_person_driving
        picture, column = stage.split(rect, theme)
        line = pygame.Rect(picture.left, 0, picture.width, theme.px(56))
        line.bottom = picture.bottom
        room = pygame.Rect(picture.left, picture.top, picture.width, line.top - picture.top - theme.px(12))
        world, chips, self.host.toast_area = places(room, self.view.aspect, theme)
        self._world(surface, world)
        if chips != self.host.toast_area or not self.host.news.toasts:  # in a small window they share a row
            self.chips.draw(surface, theme, chips)
        stage.draw_border(surface, theme, world, look.PINK if mine else look.LINE, 3 if mine else 2)
        text, ink, icon = {
            "running": ("AGENT", look.SOFT, "bot"),
            "paused": ("STOPPED", look.WARN, "pause"),
            "end": ("THE END", look.WARN, "flag"),
        }.get(self.takeover.phase, ("YOU", look.PINK, "gamepad-2"))
        badges.badge(surface, theme, text, (world.left + theme.px(10), world.top + theme.px(22)), ink, icon)
        if self.takeover.phase == "halted":
            badges.curtain(surface, world, 120)
            theme.text(surface, "Paused", world.center, "hero", bold=True, anchor="center")
        self._timeline(surface, line)
        self._column(surface, column)

    def _world(self, surface: pygame.Surface, world: pygame.Rect) -> None:
        over = self.takeover
        if over.is_person_driving or over.is_at_newest:
            live = over.person if over.is_person_driving else over.agent
            ghost = over.ghost() if over.is_person_driving else None
            ghosts = [] if ghost is None else [ghost]
            self.view.live(surface, world, live.sim, before=live.before, blend=live.blend, ghosts=ghosts)
            return
        recording = over.agent.trajectory()
        if self._agent_recording is None or self._agent_recording.trajectory is not recording:
            self._agent_recording = RecordingView(self.task, recording, self.view)
        self._agent_recording.draw(surface, world, over.position)

    @property
    def _moment(self) -> int:
        """The step on screen, in whole steps of the agent's recording."""
        over = self.takeover
        if over.is_person_driving:
            return over.takeover_step + len(over.person)
        return len(over.agent) if over.is_at_newest else round(over.position)

    @property
    def _length(self) -> int:
        """How many steps the episode has, or may have while it is not over."""
        over = self.takeover
        is_over = over.agent.ended or over.agent.is_done_early
        return over.agent.start_step + over.span if is_over else self.task.horizon

    def _timeline(self, surface: pygame.Surface, line: pygame.Rect) -> None:
        theme, over = self.host.theme, self.takeover
        inside = badges.panel(surface, theme, line)
        text = f"{over.agent.start_step + self._moment} / {self._length}"
        label = theme.text(surface, text, inside.midright, "small", look.SOFT, mono=True, anchor="midright")
        slider, mine = self.slider, over.is_person_driving
        slider.high, slider.value, slider.enabled = over.span, over.shown_step, not mine
        slider.color = look.PINK if mine else look.ACCENT
        room = pygame.Rect(inside.left, inside.top, label.left - inside.left - theme.px(16), inside.height)
        slider.draw(surface, theme, room)
        if len(over.agent):
            for step, _ in term_events(over.agent.trajectory().terms, self.task.world.term_names):
                self._tick(surface, room, (step + 1) / over.span, look.WARN, up=True)
        if mine:
            self._tick(surface, room, over.takeover_step / over.span, look.PINK, up=False)

    def _tick(
        self, surface: pygame.Surface, line: pygame.Rect, at: float, color: look.Color, *, up: bool
    ) -> None:
        """A mark on the time line: events above it, the takeover below."""
        theme = self.host.theme
        tall = theme.px(6)
        y = line.centery - theme.px(6) - tall if up else line.centery + theme.px(6)
        x = line.left + round(line.width * min(at, 1.0))
        pygame.draw.rect(surface, color, (x - 1, y, theme.px(3), tall), border_radius=1)

    def _column(self, surface: pygame.Surface, column: pygame.Rect) -> None:
        theme, over = self.host.theme, self.takeover
        live = over.person if over.is_person_driving else over.agent
        card = self._phase_card()
        above = stage.card_height(theme, column.width, card)
        high, low = stage.stacked(column, theme, live.events, above)
        stage.draw_info_card(surface, theme, high, card)
        title = "Since you took over" if over.is_person_driving else "What happened so far"
        upto = None if over.is_person_driving or over.is_at_newest else round(over.position)
        stage.draw_episode_summary(surface, theme, low, live, title, upto, self._length)

    def _phase_card(self) -> Card:
        keep, drop = (("Enter",), "keep your way"), (("Backspace",), "throw it away")
        take = (("T",), "take the controls")
        match self.takeover.phase:
            case "running":
                text = "When it goes wrong, take the controls; or stop it and step back first."
                return Card("The agent acts", text, look.ACCENT, "bot", [take, (("Space",), "stop")])
            case "paused":
                text = "Find the moment where it should have done something else."
                keys = [((",", "."), "step back, on"), take, (("Space",), "go on")]
                return Card("Stopped", text, look.WARN, "pause", keys)
            case "end":
                text = (
                    f"{why_over(self.takeover.agent)} Step back to where it went wrong, or let it begin anew."
                )
                keys = [((",",), "step back"), (("R",), "new start"), (("Space",), "see it again")]
                return Card("The end", text, look.WARN, "flag", keys)
            case "taken":
                text = "Show it. The world waits for your first key."
                return Card(
                    "Your controls", text, look.PINK, "gamepad-2", [*stage.driving_hints(self.task), drop]
                )
            case "stopped":
                text = f"{why_over(self.takeover.person)} Was that better than what the agent did?"
                return Card("The end", text, look.PINK, "flag", [keep, drop])
            case "halted":
                return Card(
                    "Paused", "Nothing moves.", look.PINK, "pause", [(("Space",), "go on"), keep, drop]
                )
            case _:
                pale = "The pale one is what the agent did."
                text = pale if self.task.world.state_size else "Do it better than the agent did."
                return Card("You drive", text, look.PINK, "gamepad-2", [keep, drop])

    def state_entries(self) -> dict[str, Any]:
        over = self.takeover
        return {
            "mode": over.phase,
            "step": round(over.agent.start_step + over.shown_step),
            "position": round(over.position, 3),
            "recorded": len(over.agent),
            "taken_at": over.takeover_step if over.is_person_driving else -1,
            "driven": len(over.person) if over.is_person_driving else 0,
            "kept": self.kept,
            "speed": SPEEDS[self.speed],
            "seed": over.agent.seed,
            "driver": over.agent.driver,
            "held": list(over.latch.held),
        }
