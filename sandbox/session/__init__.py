"""A session: its folder, what a person can do in it, its feedback log, its learner, its questions."""
