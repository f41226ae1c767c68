"""Random damage to files: bits, cuts, splices, numbers in headers, and zips whose sums are made to fit."""

from __future__ import annotations

import io
import random
import re
import zipfile

NUMBERS = (b"-1", b"0", b"1e308", b"NaN", b"18446744073709551616", b"4294967296", b'"x"', b"null", b"[[]]")
EDGES = (b"\x00", b"\xff", b"\x80", b"\x7f")


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with one to three random changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(CHANGES)(content, chance)
    return content


def _place(content: bytes | bytearray, chance: random.Random) -> int:
    """Anywhere, but half the time in the first 400 bytes, where headers are."""
    most = len(content) if chance.random() < 0.5 else min(len(content), 400)
    return chance.randrange(max(most, 1))


def _flip(content: bytes, chance: random.Random) -> bytes:
    found = bytearray(content or b"\0")
    for _ in range(chance.choice((1, 1, 2, 8))):
        found[_place(found, chance)] ^= 1 << chance.randrange(8)
    return bytes(found)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _splice(content: bytes, chance: random.Random) -> bytes:
    start, to = _place(content, chance), _place(content, chance)
    part = content[start : start + chance.randrange(1, 200)]
    return content[:to] + part + content[to + chance.choice((0, len(part))) :]


def _drop(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + content[at + chance.randrange(1, 64) :]


def _edge(content: bytes, chance: random.Random) -> bytes:
    at, width = _place(content, chance), chance.choice((1, 2, 4, 8))
    return content[:at] + chance.choice(EDGES) * width + content[at + width :]


def _number(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    found = re.compile(rb"-?\d+(\.\d+)?").search(content, at)
    if found is None:
        return _flip(content, chance)
    return content[: found.start()] + chance.choice(NUMBERS) + content[found.end() :]


CHANGES = (_flip, _flip, _cut, _splice, _drop, _edge, _number)


def with_member_changed(content: bytes, chance: random.Random, packed: int) -> bytes:
    """A zip in which one member (of a zip in it, if it is one) is changed and its check sum fits."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = chance.choice(sorted(members))
    part = members[name]
    if part[:2] == b"PK" and chance.random() < 0.8:
        members[name] = with_member_changed(part, chance, 0)
    else:
        members[name] = mutated(part, chance)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as archive:
        for key, value in members.items():
            archive.writestr(key, value)
    return out.getvalue()
