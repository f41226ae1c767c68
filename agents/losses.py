"""Every likelihood that the reward learners sum, as pure functions with their source.

All are negative log-likelihoods per row, to be weighted and summed by the caller. `returns` are
sums of predicted reward over a segment; any leading dimensions (members of an ensemble) pass
through. Everything a person does is a choice from a set under one reward (Jeon, Milli and Dragan,
2020, "Reward-rational (implicit) choice", eq. 1), so `choice` is the root of the rest: `choices`
compiles feedback to it, and the tests hold the compiled form to the formula of each kind.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from agents.feedback.choices import strict_orders

DEFAULT_ERROR_RATE = 0.1
"""Share of answers given uniformly at random (Christiano et al. 2017, section 2.2.3)."""
MAX_RETURN_GAP = 50.0
"""Largest difference of returns that a choice looks at [nats]."""


def _check(name: str, value: Tensor, shape: torch.Size | tuple[int, ...]) -> None:
    if tuple(value.shape) != tuple(shape):
        raise ValueError(f"{name} should have shape {tuple(shape)}, not {tuple(value.shape)}")


def choice(
    returns: Tensor,
    chosen: Tensor,
    mask: Tensor | None = None,
    error_rate: float | Tensor = DEFAULT_ERROR_RATE,
) -> Tensor:
    """-log P(chosen) of a Boltzmann choice that is uniform with probability `error_rate`.

    returns [..., B, C]; chosen [B] int64; mask [B, C] bool, the options that were there. Result
    [..., B]. P = (1 - noise) softmax(returns)[chosen] + noise / options; noise may be [B].
    Jeon et al. 2020, eq. 1, with the error model of Christiano et al. 2017, section 2.2.3.
    """
    options = returns.shape[-1]
    _check("chosen", chosen, returns.shape[-2:-1])
    if mask is None:
        mask = torch.ones(returns.shape[-2:], dtype=torch.bool, device=returns.device)
    _check("mask", mask, returns.shape[-2:])
    index = chosen.expand(returns.shape[:-1]).unsqueeze(-1)
    gaps = (returns - returns.gather(-1, index)).clamp(-MAX_RETURN_GAP, MAX_RETURN_GAP)
    total = gaps.masked_fill(~mask, -torch.inf).logsumexp(-1)
    if isinstance(error_rate, Tensor):
        _check("error_rate", error_rate, returns.shape[-2:-1])
    elif error_rate == 0.0:
        return total
    count = mask.sum(-1).clamp(max=options).to(returns.dtype)
    return -torch.log((1.0 - error_rate) * torch.exp(-total) + error_rate / count)


def bradley_terry(
    first: Tensor, second: Tensor, target: Tensor, error_rate: float = DEFAULT_ERROR_RATE
) -> Tensor:
    """Comparison of two segments: cross-entropy against P(first is better).

    first, second [..., B] returns; target [B], 1 first better, 0 second, 0.5 a tie. Result [..., B].
    Christiano et al. 2017, "Deep RL from human preferences", eq. 1 (and its loss, section 2.2.3);
    P = (1 - noise) sigmoid(first - second) + noise / 2, the difference clipped at 50.
    """
    _check("second", second, first.shape)
    _check("target", target, first.shape[-1:])
    gap = (first - second).clamp(-MAX_RETURN_GAP, MAX_RETURN_GAP)
    if error_rate == 0.0:
        return -(target * F.logsigmoid(gap) + (1.0 - target) * F.logsigmoid(-gap))
    p = (1.0 - error_rate) * torch.sigmoid(gap) + error_rate / 2.0
    q = (1.0 - error_rate) * torch.sigmoid(-gap) + error_rate / 2.0
    return -(target * torch.log(p) + (1.0 - target) * torch.log(q))


def plackett_luce(returns: Tensor, ranks: tuple[int, ...], error_rate: float = DEFAULT_ERROR_RATE) -> Tensor:
    """Ranking of C segments, ties allowed: repeated choice of the best of what is left.

    returns [..., C]; result [...]. Luce 1959; Plackett 1975, "The analysis of permutations", eq. 1. A
    tie is the mean over the strict orders that it leaves open, so two tied clips give exactly
    Bradley-Terry with target 0.5.
    """
    _check("ranks", torch.tensor(ranks), returns.shape[-1:])
    open_orders = strict_orders(ranks)
    total = returns.new_zeros(returns.shape[:-1])
    for order in open_orders:
        for place in range(len(order) - 1):
            left = returns[..., list(order[place:])].unsqueeze(-2)
            first = torch.zeros(1, dtype=torch.int64, device=returns.device)
            total = total + choice(left, first, error_rate=error_rate).squeeze(-1)
    return total / len(open_orders)


def demonstration(demonstrated: Tensor, alternatives: Tensor, log_q: Tensor | None = None) -> Tensor:
    """Maximum-entropy inverse RL with a sampled partition function.

    demonstrated [..., B], alternatives [..., B, K] returns of trajectories from the same start;
    log_q [B, K] their log-density under the sampler (None: equal). Result [..., B].
    Ziebart et al. 2008, eq. 2 (P(path) proportional to exp(return)); partition function as in Finn et
    al. 2016, "Guided cost learning", eq. 2 and section 4: the demonstration is put among the samples.
    """
    _check("alternatives", alternatives, (*demonstrated.shape, alternatives.shape[-1]))
    if log_q is None:
        return torch.cat([demonstrated.unsqueeze(-1), alternatives], -1).logsumexp(-1) - demonstrated
    _check("log_q", log_q, alternatives.shape[-2:])
    count = torch.log(torch.tensor(float(alternatives.shape[-1]), dtype=alternatives.dtype))
    samples = (alternatives - log_q).logsumexp(-1) - count
    return torch.logaddexp(samples, demonstrated) - demonstrated


def evaluation(
    rewards: Tensor, credit: Tensor, value: Tensor, error_rate: float = DEFAULT_ERROR_RATE
) -> Tensor:
    """A press of + or -: choice between the two buttons, by how much better the credited steps went.

    rewards [..., B, T] per step; credit [B, T] how much each step answers for the press (0 where
    padded); value [B] in {-2, -1, 1, 2}, strength counts as that many presses. Result [..., B].
    MacGlashan et al. 2017 (COACH), section 3: feedback is an advantage, here over the segment's mean;
    credit for delay as in Knox and Stone 2009 (TAMER), see `choices.press_weights`.
    """
    _check("credit", credit, rewards.shape[-2:])
    _check("value", value, rewards.shape[-2:-1])
    advantage = (rewards * credit).sum(-1) - rewards.mean(-1) * credit.sum(-1)
    target = (value > 0).to(rewards.dtype)
    return value.abs() * bradley_terry(advantage, torch.zeros_like(advantage), target, error_rate)


def correction(person: Tensor, agent: Tensor, error_rate: float = DEFAULT_ERROR_RATE) -> Tensor:
    """A takeover: what the person did is preferred to what the agent did from the same moment.

    person, agent [..., B] returns over equally many steps. Jeon et al. 2020, section 3 (corrections).
    """
    return bradley_terry(person, agent, torch.ones_like(person[(0,) * (person.dim() - 1)]), error_rate)


def cloning(logits: Tensor, actions: Tensor) -> Tensor:
    """Behavioural cloning, discrete: cross-entropy [B] of logits [B, A] (Pomerleau 1991)."""
    return F.cross_entropy(logits, actions, reduction="none")


def unlikelihood(logits: Tensor, actions: Tensor) -> Tensor:
    """-log(1 - P(action)) [B] of actions that should not have been taken, of logits [B, A].

    Welleck et al. 2020, "Neural text generation with unlikelihood training", its loss on what should
    not come next.
    """
    log_p = F.log_softmax(logits, -1).gather(1, actions.unsqueeze(1)).squeeze(1)
    return -torch.log1p(-log_p.exp().clamp(max=1.0 - 1e-4))


def adversarial(logits: Tensor, expert: Tensor) -> Tensor:
    """A discriminator's cross-entropy [B]: logit high where the expert acted (expert [B] is 1), low else 0.

    Ho and Ermon 2016, "Generative adversarial imitation learning", eq. 17, with D the probability of the
    expert (there it is the policy's). AIRL's logit is f - log pi (Fu, Luo and Levine 2018, section 4).
    """
    _check("expert", expert, logits.shape)
    return F.binary_cross_entropy_with_logits(logits, expert, reduction="none")


def airl_logit(reward: Tensor, before: Tensor, after: Tensor, log_pi: Tensor, gamma: float) -> Tensor:
    """log D/(1 - D) = f - log pi, f = g(s, a, s') + gamma h(s') - h(s); all [B] (Fu et al. 2018, eq. 4).

    g alone, the unshaped reward, is what transfers to other layouts (their section 5).
    """
    for name, value in (("before", before), ("after", after), ("log_pi", log_pi)):
        _check(name, value, reward.shape)
    return reward + gamma * after - before - log_pi


def contrastive(
    chosen: Tensor, other: Tensor, target: Tensor, alpha: float = 0.1, bias: float = 0.5
) -> Tensor:
    """Contrastive preference learning: comparisons straight to a policy, [B].

    chosen, other [B]: discounted sums of log pi(a|s) over the two segments; target [B], 1 where the
    first was preferred, 0 the second, 0.5 a tie. alpha the temperature; bias below 1 counts the worse
    segment's likelihood less, which keeps the policy near the data. Hejna et al. 2024, "Contrastive
    preference learning", eq. 5 and, for the bias, eq. 6.
    """
    _check("other", other, chosen.shape)
    _check("target", target, chosen.shape)
    first = F.logsigmoid(alpha * (chosen - bias * other))
    second = F.logsigmoid(alpha * (other - bias * chosen))
    return -(target * first + (1.0 - target) * second)


def tamer(predicted: Tensor, value: Tensor) -> Tensor:
    """Squared error [B] of a press's value against the credited sum of predicted human reward.

    Knox and Stone 2009, "Interactively shaping agents via human reinforcement", section 4.2 (credit
    assignment): the label of a press is shared out over the steps that it may be about.
    """
    _check("value", value, predicted.shape)
    return (predicted - value) ** 2


def coach(log_pi: Tensor, credit: Tensor, value: Tensor) -> Tensor:
    """A press as an advantage: -value * sum_t credit_t log pi(a_t|s_t), [B].

    log_pi, credit [B, T]; value [B]. MacGlashan et al. 2017, "Interactive learning from
    policy-dependent human feedback", eq. 1 and algorithm 1 (there credit is an eligibility trace).
    """
    _check("credit", credit, log_pi.shape)
    _check("value", value, log_pi.shape[:1])
    return -value * (credit * log_pi).sum(-1)


def shaping(before: Tensor, after: Tensor, gamma: float) -> Tensor:
    """gamma * Phi(s') - Phi(s): added to any reward it keeps the optimum (Ng et al. 1999, theorem 1)."""
    _check("after", after, before.shape)
    return gamma * after - before
