"""Studies without a window: simulated teaching, replays of sessions, and statistics."""
