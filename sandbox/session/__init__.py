"""A session: its folder, its verbs, its feedback log, and the questions that wait."""
