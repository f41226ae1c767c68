"""The toolkit of the window: theme, widgets, charts, keys, and sounds. It knows no session."""
