"""Small worlds to teach in: physics, tasks, trajectories. Imports nothing from the floors above.

Importing it registers the tasks with Gymnasium: `gymnasium.make("teachbox/RoomsTidy-v0", size=13)`.
"""

from envs.registration import register_all

register_all()
