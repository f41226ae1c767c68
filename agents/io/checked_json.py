"""JSON of others as values of a declared type; what does not fit is a sentence that names it."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from msgspec import Meta, ValidationError, convert

from agents.io.safe_files import UnsafeFile, shorten

MOST_TEXT = 400
Text = Annotated[str, Meta(max_length=MOST_TEXT)]
Number = Annotated[float, Meta(gt=-1e12, lt=1e12)]

MISSING = re.compile(r"object missing required field (\w+)")

T = TypeVar("T")


def checked(facts: Any, kind: type[T], name: str) -> T:
    """What `parse_json` gave, as a `kind`. UnsafeFile says what of `name` is something else."""
    try:
        return convert(facts, kind)
    except ValidationError as error:
        raise UnsafeFile(f"{name} {misfit(error, facts)}: get a fresh copy of it.") from error


def wrong(name: str, key: str, value: object) -> UnsafeFile:
    """For a value of the right kind that does not fit the others."""
    return UnsafeFile(f"{name} has {key} {shorten(value)}, which can't be: get a fresh copy of it.")


def misfit(error: ValidationError, facts: Any) -> str:
    """The end of a sentence about a file, such as "has sizes[1] 'x' (expected int, got str)"."""
    text = str(error).replace("`", "")
    what, _, place = text.partition(" - at $")
    what = what[:1].lower() + what[1:]
    where = place.removeprefix(".")
    if lacks := MISSING.fullmatch(what):
        return f"lacks {where + '.' if where else ''}{lacks[1]}"
    if not where:
        return f"is not as it should be ({what})"
    try:
        value = shorten(_at(facts, where))
    except LookupError:
        return f"has {where} of another kind ({what})"
    return f"has {where} {value} ({what})"


def _at(facts: Any, where: str) -> Any:
    """The value at a place such as `policy.sizes[1]`; LookupError where the place names no one value."""
    for key, number in re.findall(r"([^.\[\]]+)|\[(.*?)\]", where):
        if key and isinstance(facts, dict):
            facts = facts[key]
        elif number.isdecimal() and isinstance(facts, list):
            facts = facts[int(number)]
        else:
            raise LookupError(where)
    return facts
