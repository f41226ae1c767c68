"""The learner process: its loop, its messages, and its supervisor in the parent process."""
