"""Packages that not every installation has: imported by name, when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from depthsep.errors import MissingExtra

__all__ = ["require"]


def require(package: str, task: str, extra: str) -> Any:
    """Import an optional package.

    Args:
        package: The name of the module.
        task: What needs it, for the error.
        extra: The extra of depthsep that brings it.

    Raises:
        MissingExtra: It is not installed; the text names the extra to install.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise MissingExtra(task, package.partition(".")[0], extra) from error
