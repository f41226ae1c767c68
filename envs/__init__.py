"""Small worlds to teach in: physics, tasks, trajectories. Imports nothing from the floors above."""
