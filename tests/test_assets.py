"""Fonts, icons and sounds: found by name, licensed, and the sounds are what the script makes."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import assets
from assets import make_sounds

FOLDER = Path(assets.__file__).parent


def test_missing_asset_names_what_is_there() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"no asset 'fonts/comic\.woff2'; fonts/ has: .*inter-regular"
    ):
        assets.path("fonts/comic.woff2")


def test_icons_take_a_colour() -> None:
    assert b'stroke="#12ab34"' in assets.icon("play", "#12ab34")
    assert b"currentColor" not in assets.icon("play")


def test_every_folder_has_its_licence_and_line() -> None:
    told = (FOLDER / "README.md").read_text("utf-8")
    for folder in (path for path in FOLDER.iterdir() if path.is_dir() and not path.name.startswith("_")):
        assert f"`{folder.name}/" in told
    for licence in (
        "fonts/LICENSE-inter.txt",
        "fonts/LICENSE-jetbrains-mono.txt",
        "icons/LICENSE-lucide.txt",
    ):
        assert licence in told
        assert len(assets.path(licence).read_text("utf-8")) > 500


def test_sounds_are_as_made_and_quiet(tmp_path: Path) -> None:
    for made in make_sounds.write(tmp_path):
        kept = assets.path(f"sounds/{made.name}")
        with wave.open(str(kept)) as one, wave.open(str(made)) as other:
            samples, fresh = (
                np.frombuffer(f.readframes(f.getnframes()), "<i2").astype(int) for f in (one, other)
            )
        assert np.abs(samples - fresh).max() <= 1  # the last bit may differ between machines
        assert np.abs(samples).max() < 0.4 * 32767
        assert abs(samples[0]) < 200
        assert abs(samples[-1]) < 200
        assert kept.stat().st_size < 40_000
