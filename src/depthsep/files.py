"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from depthsep.errors import BadInput, DocumentExists

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], force: bool, save: Callable[[Path], object]) -> Path:
    """Let `save` fill a temporary file beside `path`, then give it its name; a failure leaves nothing behind.

    Args:
        path: The file to write.
        force: Replace a file of that name; without it even one that appears meanwhile is left alone.
        save: Writes the contents to the path that it is given.

    Raises:
        DocumentExists: The file is there and `force` is False.
        BadInput: The folder cannot be written to.
    """
    target = Path(path)
    if target.exists() and not force:
        raise DocumentExists(target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as problem:
        found = problem.strerror or str(problem)
        raise BadInput(f"write {target}", found=found, needed="a folder that exists and may be written to") from None
    os.close(handle)
    part = Path(name)
    try:
        save(part)
        part.chmod(0o666 & ~_umask())
        if force:
            part.replace(target)
        else:
            os.link(part, target)
    except FileExistsError:
        raise DocumentExists(target) from None
    finally:
        part.unlink(missing_ok=True)
    return target


def _umask() -> int:
    """Read the process's mask, which can only be done by setting it; temporary files are private until then."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
