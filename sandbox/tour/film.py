"""A film out of frames: x264 in a process of its own, so that encoding never holds up drawing.

The child is this file run as a program. Frames go to it raw through its standard input; the pipe
makes the drawer wait when the encoder is behind. The file gets its name only when it is complete.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from agents.io.atomic_files import whole_file

Frame = NDArray[np.uint8]


class Film:
    """Frames [height, width, 3] of one size, in; an MP4 out. Odd sizes lose their last line or column."""

    def __init__(self, path: Path, fps: int) -> None:
        self.path, self.fps = path, fps
        self.frames = 0
        self._shape: tuple[int, int] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def seconds(self) -> float:
        """How long the film is so far [s]."""
        return self.frames / self.fps

    def add(self, frame: Frame) -> None:
        """One more frame; ValueError if its size is another than the first one's."""
        height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
        if self._child is None:
            self._shape = height, width
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "sandbox.tour.film",
                    str(self.path),
                    str(width),
                    str(height),
                    str(self.fps),
                ],
                stdin=subprocess.PIPE,
            )
        if self._shape != (height, width):
            raise ValueError(f"a frame of {width}x{height} can't go into a film of {self._shape}")
        assert self._child.stdin is not None
        self._child.stdin.write(np.ascontiguousarray(frame[:height, :width]).data)
        self.frames += 1

    def close(self) -> None:
        """Finish the file. OSError if the encoder failed."""
        if self._child is None:
            return
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # then its exit status tells
            self._child.stdin.close()
        code = self._child.wait()
        self._child = None
        if code != 0:
            raise OSError(f"the film {self.path} could not be written (the encoder ended with {code})")


def encode(source: BinaryIO, path: Path, width: int, height: int, fps: int) -> None:
    """Read raw RGB frames until the source ends and write them as H.264 in an MP4."""
    import av

    size = width * height * 3
    with (
        whole_file(path) as fresh,
        av.open(str(fresh), "w", "mp4", options={"movflags": "faststart"}) as container,
    ):
        options = {"preset": "veryfast", "crf": "21", "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(fps), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        while len(raw := source.read(size)) == size:
            picture = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    encode(sys.stdin.buffer, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
