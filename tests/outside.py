"""The package of somebody else's (tests/data/outside_package) as if it were installed."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

PACKAGE = Path(__file__).parent / "data" / "outside_package"


def unpacked(folder: Path, package: Path = PACKAGE) -> Path:
    """A folder for `sys.path` that holds a copy of the package, with the metadata that pip would write."""
    site = folder / "site"
    shutil.copytree(package, site)
    facts = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"{facts['name'].replace('-', '_')}-{facts['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {facts['name']}\nVersion: {facts['version']}\n", "utf-8"
    )
    lines = []
    for group, points in facts["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    return site
