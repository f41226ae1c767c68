"""Parts of scenes that show agents, replays, rewards, and progress."""
