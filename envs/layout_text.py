"""The text of a drawing, a flat or a road: what was handed over, or what stands in a file."""

from __future__ import annotations

from pathlib import Path

MOST_BYTES = 65_536


class LayoutError(ValueError):
    """A drawing that is no flat or road; the text is a sentence that points at line and column if it can."""


def read_layout_text(layout: str, thing: str) -> tuple[str, str]:
    """(how to call it, the text) of `layout`, a text (it has a line break) or the path of a file.

    thing: what is drawn, "flat" or "road". Raises LayoutError.
    """
    if "\n" not in layout:
        return Path(layout).name, _read(Path(layout), thing)
    if len(layout) > MOST_BYTES:
        raise LayoutError(f"the layout has over {MOST_BYTES} characters: a {thing} is a small drawing")
    return "the layout", layout


def _read(path: Path, thing: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise LayoutError(f"{path} is over {MOST_BYTES} bytes: a {thing} is a small drawing")
        return content.decode("utf-8-sig").rstrip() + "\n"
    except OSError as error:
        raise LayoutError(f"the layout {str(path)!r} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LayoutError(f"{path} is no text in UTF-8: draw the {thing} in a text editor") from error
