"""An HDF5 file as arrays by their path. Only what lies in the file itself, declared small enough.

Refused before any data is read: links that are not hard (soft, external), external storage, virtual
data sets, filters beyond the common ones, and sizes beyond the bound.
"""

from __future__ import annotations

import io
import math
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5l, h5z

from agents.io.safe_files import Arrays, UnsafeFile, shorten

MOST_OBJECTS = 200_000
MOST_DEPTH = 8
MOST_BYTES = 2**28  # of data, uncompressed
MOST_CHUNK = 2**26
FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF}
LAYOUTS = {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}


class _Walk:
    def __init__(self, name: str) -> None:
        self.name, self.arrays, self.bytes, self.objects = name, Arrays(), 0, 0
        self.attributes: dict[str, dict[str, Any]] = {}
        self.skipped: list[str] = []

    def group(self, group: Any, path: str, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise UnsafeFile(f"{self.name} nests groups more than {MOST_DEPTH} deep.")
        self.attributes[path] = self.plain(group, path)
        for raw in group.id:
            self.objects += 1
            if self.objects > MOST_OBJECTS:
                raise UnsafeFile(f"{self.name} holds more than {MOST_OBJECTS} objects.")
            here = f"{path}/{raw.decode('utf-8', 'replace')}" if path else raw.decode("utf-8", "replace")
            if group.id.links.get_info(raw).type != h5l.TYPE_HARD:
                raise UnsafeFile(f"{self.name} has a link at {shorten(here)}, and links are not followed.")
            item = group[raw]
            if isinstance(item, h5py.Group):
                self.group(item, here, depth + 1)
            elif isinstance(item, h5py.Dataset):
                self.dataset(item, here)
            else:
                raise UnsafeFile(
                    f"{self.name} has {type(item).__name__} at {shorten(here)}, which is not read."
                )

    def dataset(self, item: Any, path: str) -> None:
        plan = item.id.get_create_plist()
        if plan.get_external_count() or plan.get_layout() not in LAYOUTS:
            raise UnsafeFile(f"{self.name} keeps {shorten(path)} outside itself, which is not read.")
        for number in range(plan.get_nfilters()):
            if plan.get_filter(number)[0] not in FILTERS:
                raise UnsafeFile(f"{self.name} packs {shorten(path)} in a way that is not read.")
        if item.dtype.kind not in "biuf" or item.dtype.itemsize > 8 or item.dtype.subdtype:
            self.skipped.append(path)
            return
        if item.shape is None or len(item.shape) > 5:
            raise UnsafeFile(f"{self.name} has {shorten(path)} of shape {shorten(item.shape)}.")
        size = math.prod(item.shape) * item.dtype.itemsize
        self.bytes += size
        if self.bytes > MOST_BYTES:
            raise UnsafeFile(f"{self.name} declares over {MOST_BYTES} bytes of data.")
        if item.chunks and math.prod(item.chunks) * item.dtype.itemsize > max(MOST_CHUNK, 2 * size):
            raise UnsafeFile(f"{self.name} packs {shorten(path)} in pieces that are too large.")
        value = np.asarray(item[()])
        self.arrays[path] = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("="), copy=False))

    def plain(self, group: Any, path: str) -> dict[str, Any]:
        """A group's attributes that are numbers or short texts."""
        found: dict[str, Any] = {}
        names = list(group.attrs)
        if len(names) > 100:
            raise UnsafeFile(f"{self.name} has {len(names)} attributes at {shorten(path)}.")
        for name in names:
            kind = group.attrs.get_id(name)
            if kind.shape != () or (
                kind.dtype.kind not in "biuf" and not h5py.check_string_dtype(kind.dtype)
            ):
                continue
            value = group.attrs[name]
            if isinstance(value, np.generic):
                value = value.item()
            if isinstance(value, str | int | bool) and len(str(value)) <= 100_000:
                found[name] = value
        return found


def parse(content: bytes, name: str) -> tuple[dict[str, Any], Arrays]:
    """({"attributes": {group: {name: value}}, "skipped": [paths]}, arrays by path)."""
    walk = _Walk(name)
    with h5py.File(io.BytesIO(content), "r") as file:
        walk.group(file, "", 0)
    return {"attributes": walk.attributes, "skipped": walk.skipped}, walk.arrays
