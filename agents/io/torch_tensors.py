"""The tensors in a file of `torch.save`, read as data: its instructions are looked at, none is followed.

Such a file is a zip of a pickle and of the raw numbers. The pickle is a program for a stack machine;
this reads that program by `pickletools`, which only takes it apart, and understands just what a
dictionary of tensors needs. Any other instruction, and any other name, is refused. torch itself is not
asked: it would follow the program, if in a restricted way.
"""

from __future__ import annotations

import io
import math
import pickletools
import zipfile
from typing import Any, NamedTuple

import numpy as np

from agents.io.safe_files import Arrays, UnsafeFile, shorten

MAX_BYTES = 2**28
MAX_PROGRAM_BYTES = 2**20
MAX_PROGRAM_STEPS = 200_000
STORAGES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "BoolStorage": np.dtype("?"),
}
DICT, TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
MARK = object()


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any]
    numbers: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class _Name(str):
    """A function or class that the program names; here it is a name and nothing more."""


def read_tensors(content: bytes, name: str) -> Arrays:
    """The dictionary of tensors in such a file. Raises UnsafeFile with a sentence."""
    members = zip_members(content, name, MAX_BYTES)
    programs = [key for key in members if key.endswith("/data.pkl")]
    if len(programs) != 1:
        raise UnsafeFile(f"{name} is not as torch saves tensors: it has {len(programs)} programs.")
    root = programs[0].removesuffix("data.pkl")
    order = members.get(f"{root}byteorder", b"little")
    if order != b"little":
        raise UnsafeFile(f"{name} has its bytes in the order {shorten(order)}, and 'little' is read.")
    found = _interpret(members[programs[0]], name)
    if not isinstance(found, dict) or not all(isinstance(value, _Tensor) for value in found.values()):
        raise UnsafeFile(f"{name} holds something else than a dictionary of tensors.")
    return {key: _tensor_array(tensor, members, root, f"{key!r} of {name}") for key, tensor in found.items()}


def zip_members(content: bytes, name: str, max_bytes: int) -> dict[str, bytes]:
    """The members of a zip whose parts are not packed (so that none grows), at most `max_bytes` bytes in
    all."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found: dict[str, bytes] = {}
            infos = archive.infolist()
            if len(infos) > 10_000 or sum(info.file_size for info in infos) > max_bytes:
                raise UnsafeFile(f"{name} declares more than {max_bytes} bytes or 10000 members.")
            for info in infos:
                parts = info.filename.split("/")
                if ".." in parts or info.filename.startswith("/") or "\\" in info.filename:
                    raise UnsafeFile(f"{name} has a member named {shorten(info.filename)}.")
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.filename in found:
                    raise UnsafeFile(
                        f"{name} packs {shorten(info.filename)}, or has it twice; neither is read."
                    )
                found[info.filename] = archive.read(info)
            return found
    except UnsafeFile:
        raise
    except Exception as error:  # whatever a damaged archive raises
        raise UnsafeFile(
            f"{name} is no whole zip ({type(error).__name__}: {shorten(str(error))})."
        ) from error


def _tensor_array(tensor: _Tensor, members: dict[str, bytes], root: str, name: str) -> Any:
    key, dtype, count = tensor.storage
    raw = members.get(f"{root}data/{key}")
    if raw is None or len(raw) != count * dtype.itemsize:
        raise UnsafeFile(
            f"the tensor {name} says {count} numbers and has {0 if raw is None else len(raw)} bytes."
        )
    size, width = math.prod(tensor.shape), 1
    for length, stride in zip(reversed(tensor.shape), reversed(tensor.stride), strict=True):
        if length > 1 and stride != width:
            raise UnsafeFile(f"the tensor {name} is laid out with the strides {list(tensor.stride)}.")
        width *= length
    if tensor.offset + size > count:
        raise UnsafeFile(f"the tensor {name} of shape {list(tensor.shape)} lies outside its numbers.")
    flat = np.frombuffer(raw, dtype)[tensor.offset : tensor.offset + size]
    return flat.reshape(tensor.shape).copy()


def _interpret(program: bytes, name: str) -> Any:
    """What the program would make: dictionaries, texts, numbers and _Tensors."""
    if len(program) > MAX_PROGRAM_BYTES:
        raise UnsafeFile(f"{name} has a program of {len(program)} bytes.")
    machine = _PickleMachine(name)
    try:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(program)):
            if opcode.name == "STOP":
                break
            if step > MAX_PROGRAM_STEPS:
                raise UnsafeFile(f"{name} has a program of over {MAX_PROGRAM_STEPS} steps.")
            machine.execute(opcode.name, argument)
        (found,) = machine.stack
    except UnsafeFile:
        raise
    except Exception as error:  # a program that makes no sense fails in many ways
        raise UnsafeFile(f"{name} has a program that makes no sense ({type(error).__name__}).") from error
    return found


class _PickleMachine:
    """The stack of that program, holding inert values."""

    def __init__(self, name: str) -> None:
        self.name, self.stack = name, list[Any]()
        self.memo: dict[int, Any] = {}

    def execute(self, code: str, argument: Any) -> None:
        stack = self.stack
        if code in ("PROTO", "FRAME"):
            return
        if code in ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1"):
            stack.append(argument)
        elif code in ("NEWFALSE", "NEWTRUE", "NONE"):
            stack.append({"NEWFALSE": False, "NEWTRUE": True, "NONE": None}[code])
        elif code in ("EMPTY_TUPLE", "EMPTY_DICT"):
            stack.append(() if code == "EMPTY_TUPLE" else {})
        elif code == "MARK":
            stack.append(MARK)
        elif code in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self.memo[len(self.memo) if argument is None else argument] = stack[-1]
        elif code in ("BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif code in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(code[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif code == "TUPLE":
            stack.append(tuple(self.pop_to_mark()))
        elif code == "SETITEM":
            value, key = stack.pop(), stack.pop()
            self.set_items(stack[-1], [key, value])
        elif code == "SETITEMS":
            items = self.pop_to_mark()
            self.set_items(stack[-1], items)
        elif code == "GLOBAL":
            stack.append(self.resolve_name(argument))
        elif code == "BINPERSID":
            stack.append(self.storage(stack.pop()))
        elif code == "REDUCE":
            arguments, called = stack.pop(), stack.pop()
            stack.append(self.call(called, arguments))
        elif code == "BUILD":
            if not isinstance(stack.pop(), dict) or not isinstance(stack[-1], dict):
                raise UnsafeFile(f"{self.name} would set the state of something else than a dictionary.")
        else:
            raise UnsafeFile(f"{self.name} has the instruction {code}, which tensors don't need.")

    def pop_to_mark(self) -> list[Any]:
        at = len(self.stack) - 1
        while self.stack[at] is not MARK:
            at -= 1
        items = self.stack[at + 1 :]
        del self.stack[at:]
        return items

    def set_items(self, into: Any, items: list[Any]) -> None:
        if type(into) is not dict or len(items) % 2:
            raise UnsafeFile(f"{self.name} would put items into something else than a dictionary.")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str or len(key) > 400:
                raise UnsafeFile(f"{self.name} has the key {shorten(key)}, and short texts are read.")
            into[key] = value

    def resolve_name(self, what: str) -> _Name:
        module, _, name = what.partition(" ")
        if what not in (DICT, TENSOR) and not (module == "torch" and name in STORAGES):
            raise UnsafeFile(f"{self.name} names {shorten(what)}, which could run code: it is refused.")
        return _Name(what)

    def storage(self, persistent_id: Any) -> _Storage:
        tag, kind, key, _, count = persistent_id
        if tag != "storage" or not isinstance(kind, _Name) or type(key) is not str or not key.isdecimal():
            raise UnsafeFile(f"{self.name} names numbers in a way that is not read.")
        dtype = STORAGES[kind.partition(" ")[2]]
        if type(count) is not int or not 0 <= count * dtype.itemsize <= MAX_BYTES:
            raise UnsafeFile(f"{self.name} declares {shorten(count)} numbers.")
        return _Storage(key, dtype, count)

    def call(self, called: Any, arguments: Any) -> Any:
        if called == DICT and isinstance(called, _Name) and arguments == ():
            return {}
        if called != TENSOR or not isinstance(called, _Name):
            raise UnsafeFile(f"{self.name} would call {shorten(called)}.")
        storage, offset, shape, stride = arguments[:4]
        numbers = (offset, *shape, *stride)
        fits = isinstance(storage, _Storage) and len(shape) == len(stride) <= 8
        if not fits or not all(type(n) is int and 0 <= n < 2**40 for n in numbers):
            raise UnsafeFile(f"{self.name} has a tensor of a shape that can't be.")
        return _Tensor(storage, offset, tuple(shape), tuple(stride))
