"""Settings of older versions: whoever types one is told what it is called now."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Config = TypeVar("Config")

_NAMES: dict[type[Any], dict[str, str]] = {}
"""By configuration: the old names that it was decorated with, and those of today."""


def renamed_settings(**names: str) -> Callable[[type[Config]], type[Config]]:
    """A decorator of a configuration, above `@dataclass`: its old names as keywords, with those of today.

    An old name raises TypeError, a sentence; `current_name` knows it too, also for subclasses.
    """

    def decorate(config: type[Config]) -> type[Config]:
        whole: Any = config
        make = whole.__init__

        @wraps(make)
        def checked(self: Any, *args: Any, **settings: Any) -> None:
            for old in names:
                if old in settings:
                    raise TypeError(f"{config.__name__} has no {old!r}: it is called {names[old]!r} now")
            make(self, *args, **settings)

        whole.__init__ = checked
        _NAMES[config] = names
        return config

    return decorate


def current_name(config: type[Any], setting: str) -> str:
    """What a setting of an older version is called now; empty for one that never was."""
    found = (names[setting] for base in config.__mro__ if setting in (names := _NAMES.get(base, {})))
    return next(found, "")
