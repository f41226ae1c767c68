"""The documentation's pictures of the worlds: every task has one, at moments that can be driven to."""

from __future__ import annotations

from pathlib import Path

import pygame

from envs import task_catalog
from sandbox.tour.docs_pictures import HEIGHTS, MOMENTS, driven, overview, sizes

ROOT = Path(__file__).resolve().parents[2]


def test_every_task_is_pictured() -> None:
    assert set(MOMENTS) == set(task_catalog.task_ids())
    page = (ROOT / "docs" / "worlds.md").read_text()
    for id in MOMENTS:
        name = id.split("/")[1].removesuffix("-v0")
        assert f"pictures/worlds/{name}.png" in page
        assert (ROOT / "docs" / "pictures" / "worlds" / f"{name}.png").exists()


def test_three_sizes_side_by_side() -> None:
    drives = {}
    for id in ("teachbox/RoomsKeys-v0", "teachbox/LanesMerge-v0", "teachbox/RoverDeliver-v0"):
        task = task_catalog.task(id)
        drives[id] = driven(task, MOMENTS[id][0], 3)
        assert drives[id].shape == (4, task.world.state_size)
        picture = sizes(task, drives[id])
        assert picture.get_height() > HEIGHTS[0]
        assert pygame.surfarray.array3d(picture).std() > 20
    assert overview(drives).get_width() == 1280
