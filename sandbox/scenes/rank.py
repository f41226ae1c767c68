"""Rank: two to four replays side by side in step; the person puts them in order, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pygame

from agents.feedback.records import Verdict
from envs.show.viewer import View
from sandbox.play.intents import Intent, Pointer, Press
from sandbox.play.ordering import Ordering, ordinal
from sandbox.play.playback import SPEEDS
from sandbox.play.question_flow import QuestionFlow
from sandbox.scenes.host import Host
from sandbox.scenes.rank_texts import FROM_NOW, SHOW_EVENTS, advice, doing, of_clips
from sandbox.scenes.scene import Action, Scene
from sandbox.screen import badges
from sandbox.screen import theme as look
from sandbox.screen.keys import BINDINGS, Binding
from sandbox.session.events import Saved
from sandbox.views.replays import ABOVE, Replays, arrange, draw_order, draw_replay_card, draw_waiting
from sandbox.views.transport import Transport

SPEED = 1.5
"""Of replays until the person chooses another: the 45 steps of a clip in a flat take three seconds."""
FADE = 0.18
"""How long a question that was answered takes to fade out, and a new one to fade in [s]."""


class RankScene(Scene):
    """Draws the question that `QuestionFlow` asks, and turns keys and clicks into its answer."""

    mode = "rank"
    title = "Rank"
    hint = "Which do you like best? Press the clips' numbers, the best first."

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = View(self.session.task)
        self.flow = QuestionFlow(self.session)
        self.clips = self.flow.clips
        self.speed, self.show_events = SPEED, False
        self.replays: Replays | None = None
        """The clips of the question that is asked now."""
        self.order = Ordering(self.flow.clips)
        self._fading_replays: Replays | None = None
        """The clips of the question answered last, while they fade out."""
        self._cards: list[pygame.Rect] = []
        self.transport = Transport()
        self._mouse = (-1, -1)
        self._time = 0.0

    # Questions.

    def update(self, dt: float) -> None:
        self._time += dt
        if self.flow.update(dt):
            self._show_question()
        if self.replays is not None and not self.transport.dragging:
            self.replays.playback.advance(dt)

    def _show_question(self) -> None:
        """Show the question that the flow asks now."""
        question = self.flow.question
        assert question is not None
        self.replays = Replays.of(question, self.view, self.speed)
        self.order = Ordering(len(question.clips))

    def _answer(self, ranks: tuple[int, ...], verdict: Verdict) -> None:
        """Hand the answer over and go on; "saved" is said when it has been."""
        if self.flow.answer(ranks, verdict):
            self._fading_replays, self.replays = self.replays, None

    def choices(self) -> Mapping[str, float]:
        return {"speed": self.speed, "clips": self.clips}

    def take_up(self, choices: Mapping[str, float]) -> None:
        self.speed = choices["speed"] if choices.get("speed") in SPEEDS else self.speed
        self.clips = int(choices["clips"]) if choices.get("clips") in (2, 3, 4) else self.clips

    # Keys.

    def actions(self) -> Mapping[str, Action]:
        return {
            "order": self.on_order,
            "prefer": self.on_prefer,
            "tie": self.on_tie,
            "all_tie": self.on_all_tie,
            "cant_tell": self.on_cant_tell,
            "skip": self.on_skip,
            "confirm": self.on_confirm,
            "undo": self.on_undo,
            "pause": self.on_pause,
            "scrub": self.on_scrub,
            "speed": self.on_speed,
            "clips": self.on_clips,
            "events": self.on_events,
        }

    def bindings(self) -> Sequence[Binding]:
        count = len(self.replays.question.clips) if self.replays else self.flow.clips
        bindings = [of_clips(b, count, self._stacked) for b in BINDINGS["rank"]]
        return [*(b for b in bindings if count == 2 or b.action != "prefer"), SHOW_EVENTS]

    @property
    def _stacked(self) -> bool:
        """Whether the clips stand above each other, as in a narrow window."""
        return len(self._cards) > 1 and self._cards[0].left == self._cards[1].left

    def on_order(self, press: Press) -> None:
        """A number key: that clip is next best."""
        clip = int(press.key) - 1
        if self.replays is None:
            return
        if clip >= self.order.count:
            self.host.toast(f"There are only {self.order.count} clips. N changes how many.")
        else:
            self.order.place_next(clip)

    def on_prefer(self, press: Press) -> None:
        self._answer((0, 1) if press.key in ("left", "up") else (1, 0), "ranked")

    def on_tie(self, press: Press) -> None:
        if self.replays is not None and not self.order.tie():
            self.host.toast("Put a clip down first: E ties the next one with it. A ties all.")

    def on_all_tie(self, press: Press) -> None:
        if self.replays is not None:
            self._answer((0,) * self.order.count, "ranked")

    def on_cant_tell(self, press: Press) -> None:
        self._answer((), "cant_tell")

    def on_skip(self, press: Press) -> None:
        self._answer((), "skipped")

    def on_confirm(self, press: Press) -> None:
        if self.replays is None:
            return
        if self.order.complete:
            self._answer(self.order.ranks(), "ranked")
        else:
            *others, last = (str(clip + 1) for clip in self.order.unplaced_clips)
            left = f"{', '.join(others)} and {last}"
            self.host.toast(f"Clips {left} have no place yet. C if you can't tell, S to skip.")

    def on_undo(self, press: Press) -> None:
        """Take back the last answer; once that is saved its question is asked again (`on_session_event`)."""
        if self.flow.undo():
            self.host.toast("Taken back. Answer it again, or skip it.", "undo", "undo")
        else:
            self.host.toast("There is no answer to take back.")

    def on_session_event(self, event: Any) -> None:
        if isinstance(event, Saved) and self.flow.on_saved(event.record_id, event.seq, event.target):
            self._show_question()

    def on_pause(self, press: Press) -> None:
        if self.replays is not None:
            self.replays.playback.toggle()

    def on_scrub(self, press: Press) -> None:
        if self.replays is not None:
            self.replays.playback.scrub(-1 if press.key == "," else 1)

    def on_speed(self, press: Press) -> None:
        if self.replays is not None:
            playback = self.replays.playback
            self.speed = playback.slower() if press.key == "[" else playback.faster()

    def on_clips(self, press: Press) -> None:
        """How many clips the next questions have."""
        self.clips = 2 if self.clips == 4 else self.clips + 1
        self.flow.set_clips(self.clips)
        self.replays = self._fading_replays = None

    def on_events(self, press: Press) -> None:
        self.show_events = not self.show_events

    def back(self) -> bool:
        """Esc takes up what was put down; with nothing down it leaves."""
        if self.replays is None or not self.order.groups:
            return False
        self.order.clear()
        return True

    def handle(self, event: Intent) -> Scene | None:
        if isinstance(event, Press) and event.key == "backspace" and self.order.placed_clips:
            self.order.place_next(self.order.placed_clips[-1])
            return None
        if isinstance(event, Pointer) and self._pointer(event):
            return None
        return super().handle(event)

    def _pointer(self, event: Pointer) -> bool:
        """A click on a card puts it next; the time line can be dragged."""
        self._mouse = event.pos
        if self.replays is None:
            return False
        used = self.transport.pointer(event, self.replays.playback)
        if isinstance(used, tuple):
            self.host.press_on_screen(*used)
        elif event.kind == "down" and not used:
            for index, card in enumerate(self._cards):
                if card.collidepoint(event.pos):
                    self.order.place_next(index)
                    return True
        return bool(used)

    # Picture.

    def draw(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        theme = self.host.theme
        top = theme.line("title") + theme.line("body") + theme.px(12)
        self.host.toast_area = pygame.Rect(rect.left, rect.top, rect.width, top)
        self._head(surface, self.host.toast_area)
        body = pygame.Rect(rect.left, rect.top + top, rect.width, rect.height - top)
        replays, dark = self._pictured()
        if replays is None:
            self._cards = []
            self.transport.hide()
            draw_waiting(surface, theme, body, *doing(self.session), self._time)
            return
        line_up = self.order.count > 2 and body.height > theme.px(360)  # the clips wear their places too
        bottom = theme.px(38) + (theme.px(40) if line_up else 0)
        stage = pygame.Rect(body.left, body.top, body.width, body.height - bottom - theme.px(10))
        extra = theme.px(22) if self.show_events else 0
        count = self.order.count
        room = stage.inflate(-theme.px(8), 0)
        room.top, room.height = stage.top + theme.px(ABOVE), stage.height - theme.px(ABOVE)
        self._cards = arrange(room, count, self.view.aspect, theme.px(18), extra)
        for index, card in enumerate(self._cards):
            draw_replay_card(
                surface,
                theme,
                card,
                replays,
                index,
                self._place(index),
                best=self.order.place(index) == 0,
                hovered=card.collidepoint(self._mouse),
                show_events=self.show_events,
            )
        if dark:
            badges.curtain(surface, stage, round(255 * dark))
        wide = max(card.right for card in self._cards) - self._cards[0].left
        low = max(card.bottom for card in self._cards) + theme.px(12)
        line = pygame.Rect(0, low, max(wide, theme.px(720)), theme.px(30))
        line.width = min(line.width, rect.width)
        line.centerx = rect.centerx
        self.transport.draw(surface, theme, line, replays.playback, self.flow.clips)
        if line_up and self.order.groups:
            hole = ("=" if self.order.tying else ">") if self.order.unplaced_clips else ""
            draw_order(surface, theme, (line.centerx, line.bottom + theme.px(24)), self.order.groups, hole)

    def _pictured(self) -> tuple[Replays | None, float]:
        """What is on the screen and how dark it is, 0 to 1: the question asked, or the one that fades out."""
        if self.replays is not None:
            return self.replays, max(0.0, 1.0 - self.flow.seconds / FADE)
        if self.flow.is_due:
            return None, 0.0
        return self._fading_replays, min(1.0, self.flow.seconds_since_answer / FADE)

    def _place(self, clip: int) -> str:
        """The ribbon of a clip: 1st, 2nd ...; with a sign of equality where it is shared."""
        place = self.order.place(clip)
        if place is None:
            return ""
        shared = len(self.order.groups[place]) > 1
        return f"= {ordinal(place)}" if shared else ordinal(place)

    def _head(self, surface: pygame.Surface, rect: pygame.Rect) -> None:
        """What is asked at the left, what was answered at the right."""
        theme = self.host.theme
        answers = str(self.session.counts.get("comparison", 0))
        theme.text(surface, answers, rect.topright, "title", bold=True, anchor="topright")
        order = self.order if self.replays else Ordering(self.flow.clips)
        texts = advice(order, self._stacked) if self._pictured()[0] else (FROM_NOW,)
        wide = theme.width(texts[0], "body") + theme.px(20)
        note = "answers so far"
        note = note if wide + theme.width(note, "small") <= rect.width else ""
        below = (rect.right, rect.top + theme.line("title") + theme.px(2))
        spot = theme.text(surface, note, below, "small", look.MUTED, anchor="topright")
        room = spot.left - rect.left - theme.px(20) if note else rect.width
        title = "Which do you like best?"
        box = theme.text(surface, title, rect.topleft, "title", bold=True, width=rect.width - theme.px(60))
        text = next((t for t in texts if theme.width(t, "body") <= room), texts[-1])
        theme.text(surface, text, (rect.left, below[1]), "body", look.SOFT, width=room)
        if self.replays is not None and not self.replays.question.same_start:
            at = (box.right + theme.px(14), box.centery)
            badges.badge(surface, theme, "they start differently", at, look.WARN, "git-fork")

    def state_entries(self) -> dict[str, Any]:
        if self.replays is None:
            return {"mode": "waiting", "clips": self.flow.clips, "doing": doing(self.session)[1]}
        playback = self.replays.playback
        return {
            "mode": "question",
            "step": int(playback.position),
            "question": self.replays.question.id,
            "clips": self.order.count,
            "order": [[clip + 1 for clip in group] for group in self.order.groups],
            "complete": self.order.complete,
            "playing": playback.playing,
            "speed": playback.speed,
        }
