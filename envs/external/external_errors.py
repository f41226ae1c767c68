"""What other people's code raises becomes a sentence for the person in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ExternalWorldError(ValueError):
    """This world can't be used here; the text is a sentence that names it and the reason."""


def call_external(id: str, doing: str, call: Callable[[], T]) -> T:
    """`call()`; ForeignWorldError for whatever it raises."""
    try:
        return call()
    except ExternalWorldError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        told = f": {reason}" if reason else ""
        raise ExternalWorldError(f"{id} raised {type(error).__name__} {doing}{told}") from error
