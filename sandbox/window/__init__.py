"""The window: the app, its frame around the scenes, notices, and its state file."""
