"""Rays, distances and smooth bounds in the plane, for kernels."""

from __future__ import annotations

import math

import numpy as np

from envs.kernels import kernel


@kernel
def clip(value: float, low: float, high: float) -> float:
    """The value, not below `low` nor above `high`."""
    return min(high, max(low, value))


@kernel
def turned(angle: float) -> float:
    """The same direction as an angle in [-pi, pi)."""
    return angle - 2.0 * math.pi * math.floor((angle + math.pi) / (2.0 * math.pi))


@kernel
def ray_circles(
    x: float, y: float, dx: float, dy: float, circles: np.ndarray, grow: float, far: float
) -> float:
    """How far a ray from (x, y) along the unit vector (dx, dy) goes before a circle, at most `far`.

    circles[C * 3]: x, y, radius of each, one after another; radius 0 is none. Each is `grow` larger.
    From within a circle it is 0.
    """
    for k in range(0, circles.shape[0], 3):
        if circles[k + 2] <= 0.0:
            continue
        radius = circles[k + 2] + grow
        ox, oy = x - circles[k], y - circles[k + 1]
        along = ox * dx + oy * dy
        outside = ox * ox + oy * oy - radius * radius
        if outside <= 0.0:
            return 0.0
        root = along * along - outside
        if along < 0.0 <= root:
            far = min(far, -along - math.sqrt(root))
    return far


@kernel
def ray_square(x: float, y: float, dx: float, dy: float, low: float, high: float, far: float) -> float:
    """How far a ray from (x, y) goes within the square low..high on both axes, at most `far`."""
    for at, step in ((x, dx), (y, dy)):
        if step > 1e-9:
            far = min(far, (high - at) / step)
        elif step < -1e-9:
            far = min(far, (low - at) / step)
    return max(0.0, far)
