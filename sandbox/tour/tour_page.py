"""The page that shows a tour: the film, its chapters as pictures, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STYLE = """
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1.25rem; }
h1 { font-size: 2rem; margin-bottom: .25rem; } h2 { margin-top: 3rem; }
video, img { width: 100%; border-radius: 10px; display: block; box-shadow: 0 2px 14px #0003; }
.about { opacity: .75; margin-top: 0; }
figure { margin: 0; } figcaption { margin-top: .6rem; }
a { color: inherit; }
"""


@dataclass(frozen=True)
class Chapter:
    """One part of the tour: where it starts in the film [s], and its picture's file name."""

    title: str
    text: str
    at: float
    picture: str


def write_page(folder: Path, about: str, film: str, chapters: Sequence[Chapter]) -> Path:
    """Write index.html beside the film and the pictures; returns its path."""
    parts = [
        f"<section><h2><a href='#film' data-at='{c.at:.1f}'>{escape(c.title)}</a></h2>"
        f"<figure><img src='{escape(c.picture)}' alt='{escape(c.title)}' loading='lazy'>"
        f"<figcaption>{escape(c.text)}</figcaption></figure></section>"
        for c in chapters
    ]
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A tour of teachbox</title><style>{STYLE}</style>
<h1>A tour of teachbox</h1><p class="about">{escape(about)}</p>
<video id="film" src="{escape(film)}" controls muted playsinline></video>
{"".join(parts)}
<script>
for (const link of document.querySelectorAll("[data-at]"))
  link.onclick = () => {{ const film = document.getElementById("film");
    film.currentTime = +link.dataset.at; film.play(); }};
</script></html>
"""
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path
