"""The modes of the window: one scene for each."""
