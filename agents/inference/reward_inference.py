"""From all that was said to what is wanted: one reward, and how far each person's answers can be believed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agents.checkpoint import StateDict
from agents.feedback.choices import BEHAVIOUR_KINDS, Choice, Future, PackedChoices, pack_choices
from agents.feedback.principles import RuleAnswers
from agents.feedback.records import Comparison
from agents.inference.misspecification import misspecification_warning
from agents.inference.rater_groups import (
    MIN_ANSWERS_OF_RATER,
    RewardFit,
    answers_by_rater,
    differing_terms,
    group_raters,
)
from agents.inference.rater_reliability import RaterReliability, answered_pairs
from agents.rewards.base import ChoiceReward, Reward
from agents.rewards.choice_likelihood import UNKNOWN_RATER_ERROR_RATE
from envs.trajectory import Trajectory

Float = NDArray[np.float32]
REFIT_SHARES = (0.02, 0.1, 0.25)
"""Shares of practice on one state of the feedback after which the reward is fitted further."""
MIN_ERROR_RATE_CHANGE = 0.15
"""By how much somebody's error rate must have changed for the reward to be fitted once more."""


class RewardInference:
    """A reward model and what is believed of the raters, renewed together.

    For a reward that is not fitted to choices (`model` is None then) it keeps who the raters are, and no
    more: nothing is fitted, predicted or sampled here.
    """

    def __init__(self, reward: Reward, n_terms: int) -> None:
        """n_terms: how many the world names."""
        self.model = reward if isinstance(reward, ChoiceReward) else None
        self.reliability = RaterReliability()
        self.raters: dict[str, str] = {}
        """Who gave a record, by its id, where whoever runs the learner says so."""
        self.usual_counts: Float = np.zeros((2, n_terms), np.float32)
        """How much of each term [2, M] there is in what was driven, and in what was preferred."""
        self.follow = ""
        """Whose reward is learned where raters part; empty: that of those whose answers tell most."""
        self.groups: list[RewardFit] = []
        """What raters want, in groups that want the same; more than one where they part."""
        self._answers_at_grouping = 0
        self._packed_choices: PackedChoices | None = None
        self.agreement: dict[str, float] = {}
        """Shares of choices that the reward explains, for the curves."""

    def fit(
        self, choices: Sequence[Choice], answers: Sequence[Comparison], rule_answer_ids: Collection[str]
    ) -> None:
        """Fit the reward to choices (at least one), then the raters by it; again if somebody's care changed.

        answers: the comparisons among what was said; rule_answer_ids: ids of those that principles gave.
        """
        model = self.model
        if model is None:
            return
        who = self.raters | dict.fromkeys(rule_answer_ids, RuleAnswers.RATER)
        model.set_term_scales(
            [o.term_sums() for c in choices for o in c.options if o and o.step_weights is None]
        )
        self._update_groups(model, answers, who)
        followed = self.followed_raters
        if followed:
            others = {rater for want in self.groups for rater in want.raters} - set(followed)
            choices = [c for c in choices if who.get(c.record_id, "") not in others] or choices
        ahead = _futures(choices)
        usual, names = model.default_error_rate, {who.get(a.id, "") for a in answers}
        judged = model.estimates_rater_noise and len(names) > 1
        for _ in range(1 if judged else 2):
            before = {name: self.reliability.error_rate(name, usual) for name in names}
            packed = self._packed_choices = pack_choices(
                [_with_error_rate(choice, who, before, judged) for choice in choices]
            )
            model.fit(packed)
            self.reliability.update(answered_pairs(answers, who, model, ahead))
            if all(
                abs(self.reliability.error_rate(name, usual) - was) < MIN_ERROR_RATE_CHANGE
                for name, was in before.items()
            ):
                break
        self.usual_counts = np.stack(
            [_chosen_counts(choices, kinds, model) for kinds in (BEHAVIOUR_KINDS, ("comparison",))]
        )
        self.agreement["agreement"] = model.agreement(packed)

    @property
    def sampled_returns(self) -> Callable[[Sequence[Trajectory]], Float] | None:
        """Returns of clips by samples of what is believed; None before any feedback has been fitted."""
        return self.model.sampled_returns if self.model is not None and self.model.has_samples else None

    @property
    def error_rate(self) -> float | None:
        """Share of accidents to expect of the next answer, where it may be anybody's; None: as is usual."""
        names = set(self.raters.values())
        if len(names) < 2 or self.model is None or not self.model.estimates_rater_noise:
            return None
        return float(np.mean([self.reliability.error_rate(name, UNKNOWN_RATER_ERROR_RATE) for name in names]))

    def refine_if_due(self, before: float, now: float) -> bool:
        """Fit once more, from where the last fit ended, when these shares of practice have been reached.

        So samples come to lie where they should. Whether it did.
        """
        if (
            self.model is None
            or self._packed_choices is None
            or not any(before < share <= now for share in REFIT_SHARES)
        ):
            return False
        self.model.refine(self._packed_choices)
        return True

    def _update_groups(
        self, model: ChoiceReward, answers: Sequence[Comparison], raters: Mapping[str, str]
    ) -> None:
        """Whether raters want different things, looked at again when there are a tenth more answers."""
        prior = model.scaled_prior()
        if prior is None or self._answers_at_grouping * 0.9 < len(answers) < self._answers_at_grouping * 1.1:
            return
        self._answers_at_grouping = len(answers)
        mean, deviation, unit = (part.astype(np.float64) for part in prior)
        said = answers_by_rater(answers, raters, unit)
        known = [rater for rater, some in said.items() if len(some.gaps) >= MIN_ANSWERS_OF_RATER]
        self.groups = group_raters(said, mean, deviation) if len(known) > 1 else []

    def state_dict(self) -> StateDict:
        """What a checkpoint keeps of the raters."""
        wants = [
            [want.raters, want.mean.tolist(), want.deviation.tolist(), want.evidence] for want in self.groups
        ]
        facts = {
            "usual": self.usual_counts.tolist(),
            "wants": wants,
            "weighed": self._answers_at_grouping,
            "faith": self.reliability.state_dict().facts,
        }
        return StateDict(facts)

    def load_state_dict(self, state: StateDict) -> None:
        facts = state.facts
        if not facts:  # an older version kept nothing
            return
        # an older version had one sum
        self.usual_counts = np.atleast_2d(np.array(facts["usual"], np.float32))
        self.groups = [
            RewardFit(tuple(raters), np.array(mean), np.array(deviation), evidence)
            for raters, mean, deviation, evidence in facts["wants"]
        ]
        self._answers_at_grouping = facts["weighed"]
        self.reliability.load_state_dict(StateDict(facts["faith"]))

    @property
    def followed_raters(self) -> tuple[str, ...]:
        """The raters whose common reward is learned; empty while all want the same."""
        if len(self.groups) < 2:
            return ()
        return next(
            (want.raters for want in self.groups if self.follow in want.raters), self.groups[0].raters
        )

    def differing_terms(self, names: Sequence[str]) -> dict[str, dict[str, float]]:
        """By how many deviations raters want more of a term than those followed do; empty: the same."""
        mine = next((want for want in self.groups if want.raters == self.followed_raters), None)
        if mine is None:
            return {}
        told = {want.raters: differing_terms(want, mine, names) for want in self.groups if want is not mine}
        return {rater: apart for raters, apart in told.items() for rater in raters}

    def record_predictions(
        self,
        choices: Sequence[Choice],
        answers: Sequence[Comparison],
        known_ids: Collection[str],
    ) -> None:
        """Before learning from new answers, those not in `known_ids`: how well they were foreseen."""
        if self.model is None:
            return
        if self.model.fits_random_answers and self.model.has_samples:
            new = [answer for answer in answers if answer.id not in known_ids]
            self.reliability.record_predictions(
                answered_pairs(new, self.raters, self.model, _futures(choices), use_mean_probability=True)
            )
        fresh = [c for c in choices if c.kind == "comparison" and c.record_id not in known_ids]
        if fresh:
            self.agreement["agreement before learning"] = self.model.agreement(pack_choices(fresh))

    def reset(self) -> None:
        """Back to the prior, as after all feedback was taken back."""
        self._packed_choices = None
        if self.model is not None:
            self.model.reset()
        self.agreement.clear()

    def warnings(self, names: Sequence[str]) -> tuple[str, ...]:
        """Sentences for the person; names of the terms."""
        doubtful = len(self.reliability.contradictory)
        told = (
            f"{doubtful} of your answers contradict the rest: they will be asked again." if doubtful else ""
        )
        apart = [
            f"{rater or 'One of you'} wants something else than {' and '.join(self.followed_raters)}: "
            f"{_describe_differences(terms)}. The agent follows {' and '.join(self.followed_raters)}."
            for rater, terms in self.differing_terms(names).items()
        ]
        return tuple(filter(None, (misspecification_warning(self.model), told, *apart)))


def _chosen_counts(choices: Sequence[Choice], kinds: Collection[str], reward: ChoiceReward) -> Float:
    """How much of each term [M + K] there is in what was chosen in these kinds of choices."""
    chosen = [choice.options[0] for choice in choices if choice.kind in kinds]
    some = next(option for choice in choices for option in choice.options if option)
    found = np.zeros(some.steps.terms.shape[1] + len(reward.derived_terms), np.float32)
    for option in chosen:
        if option is not None:
            found += reward.count_terms(option.steps, option.step_weights)
    return found


def _futures(choices: Sequence[Choice]) -> dict[int, Future | None]:
    """What clips lead to, by the clip's `id()`."""
    return {id(o.steps): o.future for choice in choices for o in choice.options if o is not None}


def _describe_differences(terms: Mapping[str, float]) -> str:
    """{"vase": 2.1, "cat": -3.0} -> "more of vase, less of cat"."""
    return ", ".join(f"{'more' if by > 0 else 'less'} of {name}" for name, by in terms.items())


def _with_error_rate(
    choice: Choice, raters: Mapping[str, str], error_rates: Mapping[str, float], is_estimated: bool
) -> Choice:
    """The same, with whoever answered if they are to be judged, and their share of accidents."""
    if choice.kind != "comparison":
        return choice
    rater = raters.get(choice.record_id, "")
    return replace(choice, error_rate=error_rates[rater], rater=rater if is_estimated else None)
