"""Folders of ours that travel: a few known files, and a manifest with the SHA-256 of each.

The manifest finds what was changed by accident or in transit. It is no signature: whoever makes a
folder can write a manifest that fits, so the content is checked as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from agents.io.safe_files import (
    MAX_BYTES,
    MAX_JSON_BYTES,
    UnsafeFile,
    check_digest,
    check_folder,
    fresh_folder,
    parse_json,
    read_bytes,
    shorten,
)

MANIFEST = "manifest.json"
FORMAT = "teachbox-manifest"
VERSION = 1
MAX_MANIFEST_BYTES = 2**20


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write these files and their manifest; the folder appears whole or not at all.

    Raises UnsafeFile, before anything is written, for a file that `read_folder` would find too large.
    """
    for name, content in files.items():
        most = MAX_JSON_BYTES if name.endswith(".json") else MAX_BYTES
        if len(content) > most:
            raise UnsafeFile(f"{name} would have {len(content)} bytes, and at most {most} are read again.")
    with fresh_folder(folder) as fresh:
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        write_manifest(fresh, files)


def write_manifest(folder: Path, names: Collection[str]) -> None:
    """Write the manifest of these files of a folder."""
    listed = {}
    for name in names:
        content = (folder / name).read_bytes()
        listed[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest = {"format": FORMAT, "version": VERSION, "files": listed}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def read_folder(
    folder: Path, needed: Collection[str], optional: Collection[str] = (), max_bytes: int = MAX_BYTES
) -> dict[str, bytes]:
    """The files of a folder that `write_folder` wrote, each with the SHA-256 that its manifest says.

    Raises UnsafeFile: a file missing, changed, linked, too large, or one that does not belong there.
    """
    check_folder(folder, {*needed, MANIFEST}, optional)
    manifest = parse_json(read_bytes(folder / MANIFEST, MAX_MANIFEST_BYTES), MANIFEST)
    if manifest.get("format") != FORMAT or manifest.get("version") != VERSION:
        raise UnsafeFile(
            f"{folder / MANIFEST} is of format {shorten(manifest.get('format'))}, version "
            f"{shorten(manifest.get('version'))}; this program reads {FORMAT!r}, version {VERSION}."
        )
    listed = manifest.get("files")
    present = {entry.name for entry in folder.iterdir()} - {MANIFEST}
    if not isinstance(listed, dict) or set(listed) != present:
        raise UnsafeFile(f"{folder / MANIFEST} does not list the files that are there.")
    found = {}
    for name in sorted(present):
        facts = listed[name]
        if not isinstance(facts, dict) or set(facts) != {"sha256", "bytes"}:
            raise UnsafeFile(f"{folder / MANIFEST} does not say the size and SHA-256 of {name}.")
        content = read_bytes(
            folder / name, min(max_bytes, MAX_JSON_BYTES) if name.endswith(".json") else max_bytes
        )
        check_digest(content, facts["sha256"], str(folder / name))
        if facts["bytes"] != len(content):
            raise UnsafeFile(f"{folder / name} has {len(content)} bytes, not {shorten(facts['bytes'])}.")
        found[name] = content
    return found
