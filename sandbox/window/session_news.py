"""News from the session, told in the window: what is saved, restarts, trouble, what the learner remarks."""

from __future__ import annotations

from sandbox.session.events import ErrorMessage, LearnerRestarted, NewSnapshot, Saved, StoreTrouble
from sandbox.window.frame_host import FrameHost


def dispatch_session_events(host: FrameHost) -> None:
    """Take all news since the last frame; the scene hears of each."""
    session = host.session
    for event in session.poll() if session else ():
        if isinstance(event, Saved):
            host.news.saved(event.text)
            host.sounds.play("saved")
        elif isinstance(event, LearnerRestarted):
            # No banner: it would take room from the world, whose pictures are then painted anew (150 ms).
            host.toast(f"The learner was started again, nothing is lost: {event.reason}.", "undo")
        elif isinstance(event, StoreTrouble):
            host.news.storing(event.text, event.is_new)
        elif isinstance(event, ErrorMessage):
            host.show_error(event.text)
        elif isinstance(event, NewSnapshot) and session:
            fresh = host.news.note(session.learner_warnings)
            if fresh and host.scene.mode != "watch":
                host.toast("The learner has something to tell you: F6 shows it.", "info")
        host.scene.on_session_event(event)
