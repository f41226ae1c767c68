"""What a person said, as records: the kinds of feedback, choice sets, validation, and written principles."""
