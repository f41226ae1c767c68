"""The film holds the frames that were put in."""

from pathlib import Path

import av
import numpy as np
import pytest

from sandbox.tour.film import Film


def test_frames_come_back_in_order_and_at_an_even_size(tmp_path: Path) -> None:
    film = Film(tmp_path / "a" / "film.mp4", fps=10)
    for grey in (20, 120, 220):
        film.add(np.full((47, 81, 3), grey, np.uint8))
    assert film.seconds == pytest.approx(0.3)
    film.close()
    with av.open(str(film.path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(46, 80, 3)] * 3
    assert [float(frame.mean()) for frame in frames] == pytest.approx([20, 120, 220], abs=6)
    assert [path.name for path in film.path.parent.iterdir()] == ["film.mp4"]


def test_another_size_is_refused(tmp_path: Path) -> None:
    film = Film(tmp_path / "film.mp4", fps=10)
    film.add(np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(ValueError, match="32x16"):
        film.add(np.zeros((16, 32, 3), np.uint8))
    film.close()


def test_a_film_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").mkdir()
    film = Film(tmp_path / "film.mp4", fps=10)
    film.add(np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(OSError, match=r"film\.mp4 could not be written"):
        film.close()
