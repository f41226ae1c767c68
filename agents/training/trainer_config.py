"""The settings of on-policy training."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.renamed_settings import renamed_settings
from agents.rl.ppo import PPOConfig


@renamed_settings(
    bolder="temperatures",
    shrink="shrink_factor",
    skips="skip_absorbing",
    window="value_window",
    blend="averaging_rate",
    judged="evaluation_steps",
    clearly="value_margin",
    slack="return_tolerance",
)
@dataclass(frozen=True)
class TrainerConfig:
    """How the agent practises."""

    ppo: PPOConfig = field(default_factory=PPOConfig)
    temperatures: tuple[float, ...] = (1.5, 3.0)  # temperatures at which the policy also acts in clips
    shrink_factor: float = 0.3  # what is left of the last layer's weights when a policy is softened
    skip_absorbing: bool = True  # rest after an early end is reckoned, not driven, where episodes end early
    value_window: int = 10  # rollouts that a policy's learned reward is judged by
    averaging_rate: float = 0.1  # share of the newest policy in the mean of the late ones
    evaluation_steps: int = 15_000  # steps of whole episodes that the end of a try is judged by
    value_margin: float = 0.02  # difference of an episode's worth that counts between two tries [nats]
    return_tolerance: float = 0.05  # share of the best learned reward that may be lost before going back
