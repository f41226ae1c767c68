"""News from the session, told in the window: what is saved, restarts, trouble, what the learner remarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.session.events import LearnerRestarted, NewSnapshot, Saved, Trouble

if TYPE_CHECKING:
    from sandbox.window.app import App


def listen(app: App) -> None:
    """Take all news since the last frame; the scene hears of each."""
    session = app.session
    for event in session.poll() if session else ():
        if isinstance(event, Saved):
            app.news.saved(event.text)
            app.sounds.play("saved")
        elif isinstance(event, LearnerRestarted):
            # No banner: it would take room from the world, whose pictures are then painted anew (150 ms).
            app.toast(f"The learner was started again, nothing is lost: {event.reason}.", "undo")
        elif isinstance(event, Trouble):
            app.trouble(event.sentence)
        elif isinstance(event, NewSnapshot) and session:
            fresh = app.news.note(session.notes)
            if fresh and app.scene.mode != "watch":
                app.toast("The learner has something to tell you: F6 shows it.", "info")
        app.scene.news(event)
