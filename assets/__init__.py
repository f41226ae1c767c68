"""Fonts, icons and sounds, found by name. Licences: assets/README.md."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The file `name`, such as 'fonts/inter-regular.woff2' or 'sounds/plus.wav'.

    Raises FileNotFoundError with a sentence that lists what is there instead.
    """
    found = _HERE / name
    if not found.is_file():
        folder = found.parent if found.parent.is_dir() else _HERE
        there = ", ".join(sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("_")))
        raise FileNotFoundError(f"there is no asset {name!r}; {folder.name}/ has: {there}")
    return found


@cache
def icon(name: str, colour: str = "#ffffff") -> bytes:
    """The SVG text of icon `name` in a colour, for `pygame.image.load_sized_svg(BytesIO(...), size)`."""
    text = path(f"icons/{name}.svg").read_text(encoding="utf-8")
    return text.replace("currentColor", colour).encode()
