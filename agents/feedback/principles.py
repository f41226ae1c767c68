"""Principles: a short text file of rules over a world's named terms, as a teacher that answers by itself.

    # one rule a line; what stands above counts more
    never vase
    never dirt unless home
    prefer more litter
    prefer fewer move unless cat

`never T`: of two clips the one with less of T is better. `prefer more T` and `prefer fewer T` (or
`less`) say so of a milder kind: they count only where no `never` speaks. `unless U`: where U occurred
in either clip the rule says nothing. The first rule that tells clips apart decides; rules that all
leave it open give no answer, and a person's own answer to the same clips always stands.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from agents.feedback.records import Comparison, Question, Record
from envs.trajectory import Trajectory
from envs.world import Task

ANSWER_SECONDS = 0.0
"""What an answer of a principle costs a person."""
MAX_BYTES = 100_000
_WORD = re.compile(r"\S+")
_FORMS = "'never TERM', 'prefer more TERM' or 'prefer fewer TERM', each maybe with 'unless TERM'"


class BadRule(ValueError):
    """A line that is not a valid rule. The text is a sentence that names the line and the column."""


@dataclass(frozen=True)
class Rule:
    """kind never or prefer; sign +1 when more of the term is better; unless: another term, or -1."""

    kind: Literal["never", "prefer"]
    term: int
    sign: int
    unless: int
    line: int
    text: str

    def clip_values(self, sums: np.ndarray) -> np.ndarray | None:
        """The value of each clip by this rule alone [C], from the sums of terms [C, M]; None: the rule says
        nothing."""
        if self.unless >= 0 and (np.abs(sums[:, self.unless]) > 1e-6).any():
            return None
        worth = self.sign * sums[:, self.term]
        return worth if worth.max() - worth.min() > 1e-6 else None


@dataclass(frozen=True)
class Principles:
    """Rules in the order in which they are asked: every `never` before every `prefer`."""

    rules: tuple[Rule, ...]

    def compare(self, question: Question) -> Comparison | None:
        """The answer of the first rule that tells the clips apart; None if no rule does."""
        sums = np.stack([clip.terms.sum(0) for clip in question.clips])
        said = [worth for rule in self.rules if (worth := rule.clip_values(sums)) is not None]
        if not said:
            return None
        order = sorted(range(len(sums)), key=lambda i: tuple(-worth[i] for worth in said))
        keys = [tuple(round(float(worth[i]), 6) for worth in said) for i in range(len(sums))]
        ranks = [0] * len(sums)
        for place, i in enumerate(order):
            ranks[i] = ranks[order[place - 1]] if place and keys[i] == keys[order[place - 1]] else place
        return Comparison(question.clips, tuple(ranks), question=question.id, seconds=ANSWER_SECONDS)

    def deciding_rule(self, question: Question) -> Rule | None:
        """The rule that decides, to be shown beside the answer."""
        sums = np.stack([clip.terms.sum(0) for clip in question.clips])
        return next((rule for rule in self.rules if rule.clip_values(sums) is not None), None)


def read_principles(path: Path, task: Task) -> Principles:
    """The rules of a file. BadRule for a line that is no rule, ValueError for a file that can't be read."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} holds over {MAX_BYTES} bytes: principles are a few lines of text")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error.reason} at byte {error.start}") from error
    return parse_principles(text, task, str(path))


def parse_principles(text: str, task: Task, where: str = "principles") -> Principles:
    """The rules of a text; blank lines and comments (after #) are left out."""
    rules = [
        rule
        for number, line in enumerate(text.splitlines(), 1)
        if (rule := _parse_rule(line.partition("#")[0], number, task.world.term_names, where)) is not None
    ]
    if not rules:
        raise BadRule(f"{where} holds no rule: write {_FORMS}, one on each line")
    seen: dict[tuple[int, int], Rule] = {}
    for rule in rules:
        against = seen.get((rule.term, -rule.sign))
        if against is not None and against.unless == rule.unless:
            raise BadRule(
                f"{where}, line {rule.line}, column 1: {rule.text!r} contradicts {against.text!r} "
                f"of line {against.line}"
            )
        seen.setdefault((rule.term, rule.sign), rule)
    return Principles(tuple(sorted(rules, key=lambda rule: rule.kind)))  # never before prefer


def _parse_rule(line: str, number: int, terms: Sequence[str], where: str) -> Rule | None:
    words = [(found.group(), found.start() + 1) for found in _WORD.finditer(line)]
    if not words:
        return None
    end = len(line.rstrip()) + 1

    def bad(at: int, reason: str) -> BadRule:
        return BadRule(f"{where}, line {number}, column {at}: {reason}")

    def take(what: str) -> tuple[str, int]:
        if not words:
            raise bad(end, f"{what} is missing: write {_FORMS}")
        return words.pop(0)

    def term() -> int:
        name, at = take("the term")
        if name in terms:
            return list(terms).index(name)
        close = difflib.get_close_matches(name, terms, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"its terms are {', '.join(terms)}"
        raise bad(at, f"this world has no term {name!r}: {hint}")

    kind, at = take("a rule")
    sign = -1
    if kind == "prefer":
        amount, at_amount = take("'more' or 'fewer'")
        if amount not in ("more", "fewer", "less"):
            raise bad(at_amount, f"{amount!r} is not understood after 'prefer': write 'more' or 'fewer'")
        sign = 1 if amount == "more" else -1
    elif kind != "never":
        raise bad(at, f"{kind!r} begins no rule: write {_FORMS}")
    about, unless = term(), -1
    if words:
        word, at_word = words.pop(0)
        if word != "unless":
            raise bad(at_word, f"{word!r} is not understood here: only 'unless TERM' may follow")
        unless = term()
    if words:
        raise bad(words[0][1], f"{words[0][0]!r} is too much: a rule ends after its term")
    text = " ".join(line.split())
    return Rule("never" if kind == "never" else "prefer", about, sign, unless, number, text)


def clips_key(clips: Sequence[Trajectory]) -> frozenset[bytes]:
    """A key of the clips that does not depend on the order in which they were shown."""
    return frozenset(clip.observations.tobytes() + clip.actions.tobytes() for clip in clips)


def without_overridden(answers: Sequence[Comparison], person: Sequence[Record]) -> list[Comparison]:
    """The rules' answers without those about clips that the person has answered about."""
    own = {clips_key(r.clips) for r in person if isinstance(r, Comparison) and r.verdict == "ranked"}
    return [answer for answer in answers if clips_key(answer.clips) not in own]


class RuleAnswers:
    """Keeps the rules' answers to the first questions that the learner makes."""

    RATER = "principles"
    N_PAIRS = 20
    """How many candidate pairs the rules look at each time questions are made."""
    MIN_NEW_ANSWERS = 10
    """The reward is fitted again after more new answers than this."""

    def __init__(self, principles: Principles | None, max_answers: int = 60) -> None:
        self.principles = principles
        self._max_answers, self._answers = max_answers, list[Comparison]()
        self._n_new = 0  # answers since they were last taken

    @property
    def has_enough_new(self) -> bool:
        """Whether there are enough new answers to fit the reward again."""
        return self._n_new > self.MIN_NEW_ANSWERS

    def answer(self, questions: Sequence[Question]) -> None:
        """Answer the questions that the rules decide, until the maximum number is kept."""
        if self.principles is None:
            return
        for question in questions:
            answer = self.principles.compare(question)
            if answer is not None and len(self._answers) < self._max_answers:
                self._answers.append(answer)
                self._n_new += 1

    def take_new_answers(self, person: Sequence[Record]) -> list[Comparison]:
        """All answers but those that the person overruled; they no longer count as new."""
        self._n_new = 0
        return without_overridden(self._answers, person)
