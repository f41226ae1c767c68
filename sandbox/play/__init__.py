"""Interaction without pixels: live rows, playback, takeovers, orderings, and key intents."""
