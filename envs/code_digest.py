"""A digest of a value and of the code that it runs: functions with what they close over and call.

Two functions made by the same lines of code around equal values have one digest, in any process. It
tells whether a task's true reward is still the one that its catalogue gives it.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Protocol, runtime_checkable

import numpy as np

_KNOWN_PACKAGES = sys.stdlib_module_names | {"numpy", "scipy", "torch", "numba", "gymnasium"}
"""Their functions are told by name, not by code."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@runtime_checkable
class _ArrayLike(Protocol):
    def __array__(self) -> Any: ...


def code_digest(value: Any) -> str:
    """A digest of plain values, arrays, containers, functions, partials and objects with attributes."""
    return hashlib.sha256(repr(_described(value, ())).encode()).hexdigest()


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are one object, or have one digest (dataclasses and tuples part by part)."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(is_same(*pair) for pair in zip(one, other, strict=True))
    if is_dataclass(one) and not isinstance(one, type):
        return all(is_same(getattr(one, part.name), getattr(other, part.name)) for part in fields(one))
    return code_digest(one) == code_digest(other)


def _described(value: Any, path: tuple[int, ...]) -> Any:
    """The value as nested tuples of plain values. path: the ids of what it is part of, against circles."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return value
    if id(value) in path:
        return "circle", path[::-1].index(id(value))
    inside = (*path, id(value))
    if isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        return "array", str(array.dtype), array.shape, hashlib.sha256(array.tobytes()).hexdigest()
    if isinstance(value, Mapping):
        pairs = ((_described(k, inside), _described(v, inside)) for k, v in value.items())
        return "mapping", sorted(pairs, key=repr)
    if isinstance(value, tuple | list):
        return "list", [_described(one, inside) for one in value]
    if isinstance(value, set | frozenset):
        return "set", sorted((_described(one, inside) for one in value), key=repr)
    return _described_code(value, inside)


def _described_code(value: Any, path: tuple[int, ...]) -> Any:
    if isinstance(value, partial):
        return "partial", [_described(one, path) for one in (value.func, value.args, value.keywords)]
    if isinstance(value, MethodType):
        return "method", _described(value.__func__, path), _described(value.__self__, path)
    if isinstance(value, ModuleType):
        return "module", value.__name__
    plain = inspect.unwrap(value) if callable(value) else value  # a compiled kernel is its source
    if isinstance(plain, FunctionType):
        return _function(plain, path)
    if isinstance(value, type):
        return "class", _named(value), _methods(value, path)
    if isinstance(value, BuiltinFunctionType | np.ufunc):
        return "built-in", value.__name__
    if isinstance(value, _ArrayLike):
        return "array of", _named(type(value)), _described(np.asarray(value), path)
    if isinstance(value, CodeType):
        return _code(value)
    if not _is_known(type(value).__module__):
        state = dict(sorted(vars(value).items())) if hasattr(value, "__dict__") else {}
        return "object", _named(type(value)), _methods(type(value), path), _described(state, path)
    return "other", _named(type(value)), _ADDRESS.sub("", repr(value))


def _named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_known(module: str | None) -> bool:
    return (module or "builtins").split(".")[0] in _KNOWN_PACKAGES


def _methods(kind: type, path: tuple[int, ...]) -> Any:
    """The methods of a class and of its bases that are no known package's."""
    own = [base for base in kind.__mro__ if not _is_known(base.__module__)]
    found = {name: part for base in reversed(own) for name, part in vars(base).items()}
    functions = {name: part for name, part in found.items() if isinstance(part, FunctionType)}
    return [(name, _described(functions[name], path)) for name in sorted(functions)]


def _function(function: FunctionType, path: tuple[int, ...]) -> Any:
    """Its code, defaults, what it closes over, and the globals that it names."""
    if _is_known(function.__module__):
        return "function", function.__module__, function.__qualname__
    path = (*path, id(function))
    cells = [_content(cell, path) for cell in function.__closure__ or ()]
    names = sorted(_names(function.__code__) & set(function.__globals__))
    used = [(name, _described(function.__globals__[name], path)) for name in names]
    extra = [_described(one, path) for one in (function.__defaults__, function.__kwdefaults__)]
    return "function", _code(function.__code__), cells, used, extra


def _content(cell: Any, path: tuple[int, ...]) -> Any:
    try:
        return _described(cell.cell_contents, path)
    except ValueError:  # not filled yet
        return "empty"


def _code(code: CodeType) -> Any:
    """The instructions and constants, without where they stand in the file."""
    constants = [_code(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars


def _names(code: CodeType) -> set[str]:
    """What it names, with what the functions inside it name."""
    found = set(code.co_names)
    for one in code.co_consts:
        if isinstance(one, CodeType):
            found |= _names(one)
    return found
