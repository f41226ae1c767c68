"""A device of its own, for tests on machines without a GPU: tensors "far" away, as on CUDA.

What is there can't be seen by NumPy, and nothing is worked out of tensors of two devices; both raise, as
with CUDA. Underneath are tensors in plain memory. PyTorch lets Python stand in for a device (its
PrivateUse1 key); the interface is experimental, see `torch.utils.backend_registration`.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

SHAPELESS = "CompositeExplicitAutogradNonFunctional"


@cache
def far_device() -> torch.device:
    """The device, made at the first call, which must come before anything is differentiated.

    It stays for good, and changes what moving a module does: for a process of its own.
    """
    torch.__future__.set_swap_module_params_on_conversion(
        True
    )  # optimisers keep their parameters, as on CUDA
    _setup_privateuseone_for_python_backend("far")
    whole, aten = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    whole.fallback(_worked_out, "PrivateUse1")
    # Else these, and abs, are made of operations on tensors whose shape is not known yet.
    for name in (*torch._C._dispatch_get_registrations_for_dispatch_key(SHAPELESS), "aten::abs"):
        packet, _, overload = name.removeprefix("aten::").partition(".")
        op = getattr(getattr(torch.ops.aten, packet), overload or "default")
        aten.impl(name, partial(_worked_out, op), "PrivateUse1")
    aten.impl("_copy_from", _copied, "PrivateUse1")
    aten.impl("convolution_overrideable", _convolution, "PrivateUse1")
    aten.impl("convolution_backward_overrideable", _convolution_backward, "PrivateUse1")
    _KEPT.extend((whole, aten))
    return torch.device("far:0")


_KEPT: list[Any] = []
"""Registrations end with their objects."""


def _sent(raw: torch.Tensor) -> torch.Tensor:
    found = torch._C._acc.create_empty_tensor(tuple(raw.shape), raw.dtype)
    found.untyped_storage().raw = raw.contiguous()  # as the tensor far away is laid out
    return found


def _raw(value: Any) -> Any:
    there = isinstance(value, torch.Tensor) and value.device.type == "far"
    return value.untyped_storage().raw if there else value


def _worked_out(op: Any, *args: Any, **more: Any) -> Any:
    """Any operation, on the tensors underneath."""
    name, given = op._schema.name, [x for x in tree_leaves((args, more)) if isinstance(x, torch.Tensor)]
    here = [x for x in given if x.device.type != "far"]
    picked = name == "aten::index" and given[0].device.type == "far"  # by a list in plain memory
    if not picked and len(here) < len(given) and any(x.dim() for x in here):
        raise RuntimeError(f"{name} of tensors on two devices")
    if "device" in more:
        more = {**more, "device": torch.device("cpu")}
    plain, plain_more = tree_map(_raw, (args, more))
    out = _strided(*plain) if name == "aten::as_strided" else op(*plain, **plain_more)
    changed = _changed(op, args, more)
    if out is None:
        return None
    if changed:
        return changed[0] if len(changed) == 1 else tuple(changed)
    return tree_map(lambda x: _sent(x) if isinstance(x, torch.Tensor) else x, out)


def _strided(raw: torch.Tensor, shape: Any, stride: Any, offset: int = 0) -> torch.Tensor:
    return raw.as_strided(shape, stride, raw.storage_offset() + (offset or 0))


def _changed(op: Any, args: Any, more: dict[str, Any]) -> list[Any]:
    """The arguments that an operation writes to, and so gives back."""
    found = []
    for at, argument in enumerate(op._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = more.get(argument.name) if argument.kwarg_only else args[at]
            found += [value] if value is not None else []
    return found


def _copied(source: torch.Tensor, to: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    _raw(to).copy_(_raw(source))
    return to


def _convolution(*args: Any) -> torch.Tensor:
    return _sent(torch.ops.aten.convolution(*tree_map(_raw, args)))


def _convolution_backward(grad: Any, x: Any, weight: Any, *rest: Any) -> Any:
    *how, mask = rest
    plain = [_raw(part) for part in (grad, x, weight)]
    bias = [weight.shape[0]] if mask[2] else None
    found = torch.ops.aten.convolution_backward(*plain, bias, *how, mask)
    return tuple(None if part is None else _sent(part) for part in found)
