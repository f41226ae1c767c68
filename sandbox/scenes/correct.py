"""Correct: stop the agent at any moment, take the controls, and show what it should have done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pygame

from envs.show.render import Film, View
from sandbox.playback import events
from sandbox.screen import charts, marks, stage
from sandbox.screen import theme as look
from sandbox.screen.keys import (
    ARROWS,
    BINDINGS,
    Binding,
    Intent,
    Latch,
    Pointer,
    Press,
    Release,
    driving_keys,
)
from sandbox.screen.live import Live, waits_for_keys
from sandbox.screen.scene import Scene
from sandbox.screen.stage import Card

SPEEDS = (0.2, 0.4, 0.7, 1.0)
AGENT_KEYS = ("pause", "scrub", "take", "speed", "restart", "undo")
PERSON_KEYS = ("drive", "keep", "discard", "pause")


class CorrectScene(Scene):
    """Phases of the agent: running, paused, end; of the person: taken, driving, halted, stopped.

    The agent's episode is recorded as it acts. Taking over forks the world at the moment on screen;
    the agent goes on unseen from there, as a ghost and as what the person's way is preferred to.
    """

    mode = "correct"
    title = "Correct"
    hint = (
        "When the agent goes wrong, stop it, step back, take the controls and show what it should have done."
    )

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.task = self.session.task
        self.latch = Latch(driving_keys(self.task.keys))
        self.waits = waits_for_keys(self.task)
        self.view = View(self.task)
        self._names = self.task.world.term_names
        self.chips = stage.Chips()
        self.speed = SPEEDS.index(0.4) if self.task.world.state_size else len(SPEEDS) - 1
        self.agent = Live(self.task, "random", pace=self._pace())
        self.person = Live(self.task, "person")
        self.phase, self.position, self.taken_at, self.kept = "running", 0.0, 0, 0
        self._film: Film | None = None
        self._line = pygame.Rect(0, 0, 0, 0)
        self._dragging = False
        self._start()

    def _pace(self) -> float:
        return self.task.world.steps_per_second * SPEEDS[self.speed]

    def _start(self) -> None:
        self.agent.driver = self._driver()
        self.agent.start(int(self.app.random.integers(1 << 30)))
        self._run()

    def _run(self) -> None:
        """The agent acts on, from the start of its recording."""
        self.phase, self.position, self._film = "running", 0.0, None
        self.agent.since = 0.0
        self.chips.clear()

    def _driver(self) -> str:
        latest = self.session.latest
        return f"policy:{latest.step}" if latest and latest.policy else "random"

    @property
    def person_drives(self) -> bool:
        return self.phase in ("taken", "driving", "halted", "stopped")

    @property
    def at_edge(self) -> bool:
        """Whether the agent's newest moment is on screen."""
        return self.position >= len(self.agent)

    def leave(self) -> None:
        self.blur()

    def blur(self) -> None:
        self.latch.clear()
        if self.phase == "driving" and not self.waits:
            self.phase = "halted"

    def keys(self) -> Sequence[Binding]:
        wanted = PERSON_KEYS if self.person_drives else AGENT_KEYS
        return stage.with_world_keys([b for b in BINDINGS["correct"] if b.action in wanted], self.task.keys)

    def handle(self, event: Intent) -> Scene | None:
        if self.person_drives and not isinstance(event, Pointer) and self.latch.feed(event):
            if isinstance(event, Press) and not event.repeat:
                self._drive()
            return None
        if isinstance(event, Pointer) and not self.person_drives:
            self._point(event)
        return super().handle(event)

    def _point(self, event: Pointer) -> None:
        """The mouse on the time line scrubs."""
        if event.kind == "down":
            self._dragging = self._line.collidepoint(event.pos)
        if self._dragging:
            share = charts.fraction_at(self._line, event.pos[0])
            self._scrub_to(round(share * self._span()))
        if event.kind == "up":
            self._dragging = False

    def _span(self) -> int:
        """How many steps the time line is long: to the end of the episode."""
        return max(1, self.task.horizon - self.agent.start_step)

    # What the keys do.

    def _drive(self) -> None:
        if self.phase == "taken":
            self.phase = "driving"
        elif self.phase in ("halted", "stopped"):
            self.latch.clear()
            text = "Space goes on." if self.phase == "halted" else "Enter keeps it, Backspace throws it away."
            self.app.toast(text)

    def on_drive(self, press: Press) -> None:
        """A click on an arrow's cap: one tap."""
        self.handle(press)
        self.handle(Release(press.key))

    def on_pause(self, press: Press) -> None:
        if self.phase == "end":
            self.phase, self.position = "running", 0.0
            return
        following = {
            "running": "paused",
            "paused": "running",
            "driving": "halted",
            "halted": "driving",
            "taken": "driving",
        }
        self.phase = following.get(self.phase, self.phase)
        self.latch.clear()

    def on_scrub(self, press: Press) -> None:
        step = -1 if press.key == "," else 1
        here = round(self.position)
        if step > 0 and here >= len(self.agent):
            self._agent_to(here + 1)
        self._scrub_to(here + step)

    def _scrub_to(self, position: int) -> None:
        self.phase = "paused"
        self.position = float(min(max(position, 0), len(self.agent)))
        self.agent.since = 1.0
        self.chips.clear()
        at = int(self.position)
        if at:
            found = [
                name for step, name in events(self.agent.trajectory().terms, self._names) if step == at - 1
            ]
            self.chips.add([term for term in self.task.world.terms if term.name in found])

    def on_speed(self, press: Press) -> None:
        step = -1 if press.key == "[" else 1
        self.speed = min(max(self.speed + step, 0), len(SPEEDS) - 1)
        self.agent.pace = self._pace()
        self.app.toast(f"The agent runs at {self.agent.pace:.3g} steps a second.")

    def on_restart(self, press: Press) -> None:
        self._start()

    def on_take(self, press: Press) -> None:
        at = min(round(self.position), len(self.agent))
        if self.agent.start_step + at >= self.task.horizon:
            self.app.toast("The episode is over here: step back with the , key first.")
            self._scrub_to(at)
            return
        self.taken_at, self.position = at, float(at)
        self.person.fork(self.agent.trajectory(), at)
        self.latch.clear()
        self.chips.clear()
        self.phase = "taken"

    def on_keep(self, press: Press) -> None:
        steps = len(self.person)
        if not steps:
            self.app.toast("Nothing to keep yet: drive first.")
            return
        self._agent_to(self.taken_at + steps)
        agent = self.agent.trajectory().clip(self.taken_at, self.taken_at + steps)
        person = self.person.trajectory()
        self.session.correct(agent, person)
        self.kept += 1
        if self.person.ended or self.person.quiet(2):
            self._start()
            self.app.toast(f"Kept {steps} steps. The agent begins somewhere else.", "good")
            return
        self.agent.driver = self._driver()
        self.agent.fork(person, steps)
        self._run()
        self.app.toast(f"Kept {steps} steps. The agent goes on from where you left it.", "good")

    def on_discard(self, press: Press) -> None:
        self.latch.clear()
        self.chips.clear()
        self._scrub_to(self.taken_at)
        self.app.toast("Thrown away: back to the agent.", "info", "undo")

    def on_undo(self, press: Press) -> None:
        undone = self.session.undo("correction")
        self.app.toast(
            "Took back the last correction." if undone else "No correction to take back.", "undo", "undo"
        )

    # Time.

    def _agent_to(self, steps: int) -> None:
        """Let the agent act on until its recording has that many steps, or its episode ends."""
        while len(self.agent) < steps and not self.agent.ended:
            action = self.session.act(self.agent.obs, self.app.random)[0]
            self.agent.step(action)

    def update(self, dt: float) -> None:
        self.chips.update(dt)
        live = self.person if self.person_drives else self.agent
        live.events.pass_time(dt)
        if self.phase == "running":
            self._play(dt)
        elif self.phase == "driving":
            self._drive_on(dt)
        elif self.phase in ("taken", "stopped"):
            self.person.since = 1.0

    def _play(self, dt: float) -> None:
        if not self.at_edge:
            self.position = min(self.position + dt * self.agent.pace, float(len(self.agent)))
            self.agent.since = 0.0 if self.at_edge else 1.0
            return
        if not self.agent.wait(dt):
            return
        if self.agent.ended or self.agent.quiet(6):
            self.phase, self.agent.since = "end", 1.0
            return
        self.chips.add(self.agent.step(self.session.act(self.agent.obs, self.app.random)[0]))
        self.position = float(len(self.agent))

    def _drive_on(self, dt: float) -> None:
        if not self.person.wait(dt):
            return
        if self.waits and not self.latch.waiting:
            self.person.since = 1.0
            return
        key = self.latch.take(self.task.keys)
        self.chips.add(self.person.step(self.task.keys.get(key, self.task.world.idle_action)))
        self._agent_to(self.taken_at + len(self.person))
        if self.person.ended or (self.waits and key and self.person.stands_still()):
            self.phase = "stopped"
            self.latch.clear()

    # The picture.

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.app.theme
        picture, column = stage.split(rect, theme)
        line = pygame.Rect(picture.left, 0, picture.width, theme.px(56))
        line.bottom = picture.bottom
        room = pygame.Rect(picture.left, picture.top, picture.width, line.top - picture.top - theme.px(12))
        world = stage.fitted(room, self.view.aspect)
        self.app.toast_area = world
        self._world(surface, world)
        self.chips.draw(surface, theme, world)
        color = look.PINK if self.person_drives else look.LINE
        stage.frame(surface, theme, world, color, 3 if self.person_drives else 2)
        text, ink, icon = {
            "running": ("AGENT", look.SOFT, "bot"),
            "paused": ("PAUSED", look.WARN, "pause"),
            "end": ("THE END", look.WARN, "flag"),
        }.get(self.phase, ("YOU", look.PINK, "gamepad-2"))
        marks.badge(surface, theme, text, (world.left + theme.px(10), world.top + theme.px(22)), ink, icon)
        if self.phase == "halted":
            marks.curtain(surface, world, 120)
            theme.text(surface, "Paused", world.center, "hero", bold=True, anchor="center")
        self._timeline(surface, line)
        self._column(surface, column)

    def _world(self, surface: pygame.Surface, world: pygame.Rect) -> None:
        if self.person_drives:
            live, ghosts = self.person, []
            at = self.taken_at + len(self.person)
            if self.task.world.state_size and len(self.person) and len(self.agent) >= at:
                ghosts = [self.agent.state_at(at)]
            self.view.live(surface, world, live.sim, before=live.before, blend=live.blend, ghosts=ghosts)
        elif self.at_edge:
            live = self.agent
            self.view.live(surface, world, live.sim, before=live.before, blend=live.blend)
        else:
            if self._film is None or len(self._film) != len(self.agent):
                self._film = Film(self.task, self.agent.trajectory(), self.view)
            self._film.draw(surface, world, self.position)

    def _timeline(self, surface: pygame.Surface, line: pygame.Rect) -> None:
        theme, span = self.app.theme, self._span()
        inside = marks.panel(surface, theme, line)
        label = theme.text(
            surface,
            f"{self.agent.start_step + round(self._shown())} / {self.task.horizon}",
            inside.midright,
            "small",
            look.SOFT,
            mono=True,
            anchor="midright",
        )
        self._line = pygame.Rect(
            inside.left, inside.top, label.left - inside.left - theme.px(16), inside.height
        )
        recording = self.agent.trajectory().terms if len(self.agent) else None
        shown = []
        if recording is not None:
            shown = [charts.Mark((step + 1) / span, look.WARN) for step, _ in events(recording, self._names)]
        if self.person_drives:
            shown.append(charts.Mark(self.taken_at / span, look.PINK, up=False))
        color = look.PINK if self.person_drives else look.ACCENT
        charts.timeline(surface, self._line, self._shown() / span, color=color, marks=shown)

    def _shown(self) -> float:
        """The moment on screen, counted in the agent's recording."""
        if self.person_drives:
            return self.taken_at + max(
                0.0, len(self.person) - 1 + self.person.blend if len(self.person) else 0.0
            )
        if self.at_edge and len(self.agent):
            return len(self.agent) - 1 + self.agent.blend
        return self.position

    def _column(self, surface: pygame.Surface, column: pygame.Rect) -> None:
        theme = self.app.theme
        live = self.person if self.person_drives else self.agent
        low = pygame.Rect(column.left, 0, column.width, stage.tally_height(theme, live.events))
        low.height = min(low.height, column.height * 3 // 5)
        low.bottom = column.bottom
        high = pygame.Rect(column.left, column.top, column.width, low.top - column.top - theme.px(12))
        stage.card(surface, theme, high, self._where())
        title = "Since you took over" if self.person_drives else "What happened so far"
        upto = None if self.person_drives or self.at_edge else round(self.position)
        stage.account(surface, theme, low, live, title, upto)

    def _where(self) -> Card:
        arrows = tuple(k for k in ARROWS if k in driving_keys(self.task.keys))
        own = [(("Enter",), "keep your way"), (("Back",), "throw it away")]
        match self.phase:
            case "running":
                text = "When it goes wrong, take the controls; or stop it and step back first."
                return Card(
                    "The agent acts",
                    text,
                    look.ACCENT,
                    "bot",
                    [(("T",), "take the controls"), (("Space",), "stop")],
                )
            case "paused":
                text = "Find the moment where it should have done something else."
                keys = [((",", "."), "step back, on"), (("T",), "take the controls"), (("Space",), "go on")]
                return Card("Stopped", text, look.WARN, "pause", keys)
            case "end":
                text = "The agent has finished. Step back to where it went wrong, or let it begin anew."
                keys = [((",",), "step back"), (("R",), "new start"), (("Space",), "see it again")]
                return Card("The end", text, look.WARN, "flag", keys)
            case "taken":
                return Card(
                    "Your controls",
                    "Show it. The world waits for your first key.",
                    look.PINK,
                    "gamepad-2",
                    [(arrows, "drive"), own[1]],
                )
            case "stopped":
                return Card("The end", "Was that better than what the agent did?", look.PINK, "flag", own)
            case "halted":
                return Card("Paused", "Nothing moves.", look.PINK, "pause", [(("Space",), "go on"), *own])
            case _:
                text = (
                    "The pale one is what the agent did."
                    if self.task.world.state_size
                    else "Do it better than the agent did."
                )
                return Card("You drive", text, look.PINK, "gamepad-2", own)

    def facts(self) -> dict[str, Any]:
        return {
            "mode": self.phase,
            "step": round(self.agent.start_step + self._shown()),
            "position": round(self.position, 3),
            "recorded": len(self.agent),
            "taken_at": self.taken_at if self.person_drives else -1,
            "driven": len(self.person) if self.person_drives else 0,
            "kept": self.kept,
            "speed": SPEEDS[self.speed],
            "seed": self.agent.seed,
            "driver": self.agent.driver,
        }
