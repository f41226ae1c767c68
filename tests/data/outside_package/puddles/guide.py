"""A teacher of somebody else's: it drives by the one rule of this world, and is otherwise like ours."""

from __future__ import annotations

import numpy as np

from agents.feedback.records import Demonstration, new_id
from agents.teachers.synthetic import SyntheticTeacher, TeacherNoise
from envs.simulate import simulate
from puddles.copier import BEFORE_THE_PUDDLE

ON, HOP = 2, 3


class Guide(SyntheticTeacher):
    """Hops over the puddle and walks on everywhere else, for a whole episode."""

    def __init__(self, task, seed):
        super().__init__(task, TeacherNoise(), seed)

    def demonstrate(self, seed):
        sim = simulate(self.task, 1, seed=seed, auto_reset=False)
        recorder = sim.recorder(0, "person")
        for _ in range(self.task.horizon):
            action = HOP if sim.obs[0, BEFORE_THE_PUDDLE] == 1.0 else ON
            out = sim.step(np.array([action]))
            recorder.add(action, out.terms[0], sim.states[0], int(sim.rng[0]), out.obs[0])
        return Demonstration(recorder.trajectory(), new_id())
