"""Makes the small sounds in assets/sounds: `python -m assets.make_sounds`.

Soft mallet-like notes (a few decaying partials) and one muffled thud, mono, 16 bit, 22.05 kHz, peaking
well under full scale so that they sit behind whatever the person listens to.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 22_050  # [samples/s]
Sound = NDArray[np.float64]

# Partials of a struck bar, softened: (multiple of the note, loudness, decay [1/s]).
MALLET = ((1.0, 1.0, 9.0), (2.0, 0.22, 14.0), (3.93, 0.16, 30.0))


def note(pitch: float, seconds: float, loudness: float = 1.0) -> Sound:
    """One struck note at `pitch` [Hz]."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(a * np.sin(2 * np.pi * pitch * k * t) * np.exp(-d * t) for k, a, d in MALLET)
    return loudness * np.asarray(tone) * _edges(len(t))


def thud(seconds: float) -> Sound:
    """A muffled bump: a falling low tone with filtered noise."""
    t = np.arange(int(seconds * RATE)) / RATE
    low = np.sin(2 * np.pi * (60 * t + 9.0 * (1 - np.exp(-18 * t)))) * np.exp(-11 * t)
    noise = np.random.default_rng(3).standard_normal(len(t))
    muffled = np.convolve(noise, np.hanning(48) / 24, mode="same") * np.exp(-16 * t)
    return (low + 0.55 * muffled) * _edges(len(t))


def mixed(*parts: tuple[float, Sound]) -> Sound:
    """Sounds laid over each other, each from its own start [s]."""
    length = max(int(start * RATE) + len(sound) for start, sound in parts)
    whole = np.zeros(length)
    for start, sound in parts:
        begin = int(start * RATE)
        whole[begin : begin + len(sound)] += sound
    return whole


def _edges(length: int) -> Sound:
    """Fades of 3 ms in and 30 ms out, against clicks."""
    index = np.arange(length)
    return np.minimum(1.0, np.minimum(index / (0.003 * RATE), (length - 1 - index) / (0.03 * RATE)))


def sounds() -> dict[str, tuple[Sound, float]]:
    """Every sound by name with its peak, as a fraction of full scale."""
    c5, d5, e5, g5, a5, a4, f4, e4 = 523.25, 587.33, 659.26, 783.99, 880.0, 440.0, 349.23, 329.63
    return {
        "saved": (mixed((0.0, note(g5, 0.42)), (0.09, note(c5 * 2, 0.5, 0.8))), 0.22),
        "plus": (mixed((0.0, note(e5, 0.28)), (0.06, note(a5, 0.34))), 0.22),
        "minus": (mixed((0.0, note(a4, 0.28)), (0.07, note(e4, 0.36))), 0.24),
        "undo": (mixed((0.0, note(d5, 0.2)), (0.05, note(f4, 0.26, 0.8))), 0.18),
        "tap": (note(c5 * 2, 0.09), 0.1),
        "crash": (mixed((0.0, thud(0.45)), (0.015, note(f4 / 2, 0.3, 0.25))), 0.34),
    }


def write(folder: Path) -> list[Path]:
    """Write each sound as a .wav file into `folder`; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, (sound, peak) in sounds().items():
        samples = np.round(sound / np.abs(sound).max() * peak * 32767).astype("<i2")
        target = folder / f"{name}.wav"
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        made.append(target)
    return made


if __name__ == "__main__":
    write(Path(__file__).resolve().parent / "sounds")
