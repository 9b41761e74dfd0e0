"""PyTorch: an nn.Sequential of Linear and ReLU modules, as a Python object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from depthsep.errors import BadInput
from depthsep.extras import require
from depthsep.imports.chain import Chain, exact_layer
from depthsep.networks import ReluNetwork

__all__ = ["is_module", "read"]

_ASKED = "read a torch module"
_SUPPORTED = "Linear, ReLU, Identity, Dropout in eval mode and Flatten(1, -1), in Sequential"


def is_module(source: object) -> bool:
    """Tell a torch module without importing torch."""
    names = {f"{base.__module__}.{base.__qualname__}" for base in type(source).__mro__}
    return "torch.nn.modules.module.Module" in names


def read(module: Any) -> ReluNetwork:
    """Read a module whose parameters are taken exactly; nested Sequentials are flattened.

    Raises:
        BadInput: It contains other modules (all of them are listed), hooks, or numbers that are not finite.
    """
    nn = require("torch", _ASKED, "torch").nn
    steps = list(_steps(nn, module, ""))
    refused = [f"{name} ({reason})" for name, step in steps if (reason := _refusal(nn, step))]
    if refused:
        raise BadInput(_ASKED, found="; ".join(refused), needed=f"nothing but {_SUPPORTED}")
    chain = Chain(_ASKED)
    for name, step in steps:
        if type(step) is nn.Linear:
            bias = None if step.bias is None else _array(step.bias, name)
            chain.affine(exact_layer(_array(step.weight, name), bias, f"module {name}"), f"module {name}")
        elif type(step) is nn.ReLU:
            chain.relu()
    return chain.network()


def _steps(nn: Any, module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The modules in the order in which they are applied, with their names."""
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward and not _hooks(module):
        for key, child in module._modules.items():  # named_children leaves out a module that stands there twice
            yield from _steps(nn, child, f"{name}.{key}" if name else key)
    else:
        yield name or "the module", module


def _hooks(module: Any) -> bool:
    """Tell whether something was hung on a module, so that its weights no longer say what it computes."""
    return bool(module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))


def _refusal(nn: Any, module: Any) -> str:
    """Why a module cannot be read; empty if it can."""
    kind = type(module).__name__
    if _hooks(module):
        return f"{kind} with hooks or a forward of its own"
    if type(module) is nn.Dropout:
        return "Dropout in training mode: call eval() first" if module.training and module.p else ""
    if type(module) is nn.Flatten:
        start, end = module.start_dim, module.end_dim
        return "" if (start, end) in ((1, -1), (1, 1)) else f"Flatten({start}, {end})"
    return "" if type(module) in (nn.Linear, nn.ReLU, nn.Identity) else kind


def _array(tensor: Any, name: str) -> Any:
    """The tensor as float64, which holds every narrower float exactly."""
    kind = str(tensor.dtype).removeprefix("torch.")
    if kind not in ("float16", "bfloat16", "float32", "float64") or tensor.is_meta or tensor.is_sparse:
        found = "a tensor without data" if tensor.is_meta else "a sparse tensor" if tensor.is_sparse else kind
        raise BadInput(f"read module {name}", found=found, needed="dense numbers of type float16 to float64")
    return tensor.detach().cpu().double().numpy()
