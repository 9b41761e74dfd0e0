"""The errors that depthsep raises on purpose.

    DepthsepError                the root; never raised itself
    ├── NotProved        exit 1  a proof did not close, or a document was refuted
    ├── BadInput         exit 2  the request makes no sense as it stands (also a ValueError)
    │   └── DocumentExists       the file to write is already there
    ├── OutOfReach       exit 3  a budget does not suffice; ``reached`` says how far it went
    └── MissingExtra     exit 4  an optional package is absent (also an ImportError)

Every message has up to four parts, in this order: what was asked, what was found, what is needed (and by which
theorem), and what to do about it. `exit_code` is what the command line returns.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["BadInput", "DepthsepError", "DocumentExists", "MissingExtra", "NotProved", "OutOfReach"]


class DepthsepError(Exception):
    """The root of the tree; a message in four parts.

    Args:
        asked: What was asked, in the user's own words. The only part that is always there.
        found: What was found instead: a number, an enclosure, a position.
        needed: What would have been needed, and by which theorem.
        do: What to do about it.

    Example:
        >>> print(NotProved("a proof of error 1/10", found="the error is 1/8 at r = 0", do="ask for eps >= 1/8"))
        a proof of error 1/10
          found:  the error is 1/8 at r = 0
          do:     ask for eps >= 1/8
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, asked: str, found: str = "", needed: str = "", do: str = "") -> None:
        """Keep the parts; see the class."""
        super().__init__(asked, found, needed, do)
        self.asked = asked
        self.found = found
        self.needed = needed
        self.do = do

    def __str__(self) -> str:
        """The parts that are there, one below the other."""
        parts = (("found:  ", self.found), ("needed: ", self.needed), ("do:     ", self.do))
        return "\n".join([self.asked, *("  " + label + _indented(text) for label, text in parts if text)])


def _indented(text: str) -> str:
    """Continuation lines start under the first one, so that a caret keeps pointing at its place."""
    return text.replace("\n", "\n" + " " * 10)


class NotProved(DepthsepError):  # noqa: N818
    """A proof did not close, or a document was refuted."""

    exit_code = 1


class BadInput(DepthsepError, ValueError):  # noqa: N818
    """The request makes no sense as it stands."""

    exit_code = 2


class DocumentExists(BadInput):
    """The file to write is already there, and nobody said that it may be replaced."""

    def __init__(self, path: object) -> None:
        """Name the file."""
        super().__init__(
            f"write {path}",
            found="that file already exists",
            needed="a name that is free: nothing is overwritten unasked",
            do="choose another name, or pass force=True (--force)",
        )
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors travel between processes."""
        return type(self), (self.path,)


class OutOfReach(DepthsepError):  # noqa: N818
    """A budget of width, memory or time does not suffice.

    Args:
        asked: As in every error.
        found: As in every error.
        needed: As in every error.
        do: As in every error.
        reached: What was reached within the budget, ready for a program to read.
    """

    exit_code = 3

    def __init__(self, asked: str, found: str = "", needed: str = "", do: str = "", reached: Any = None) -> None:
        """Keep the parts; see the class."""
        super().__init__(asked, found, needed, do)
        self.reached = reached

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors travel between processes."""
        return type(self), (self.asked, self.found, self.needed, self.do, self.reached)


class MissingExtra(DepthsepError, ImportError):  # noqa: N818
    """An optional package is absent.

    Args:
        task: What needs the package.
        package: The package that could not be imported.
        extra: The extra of depthsep that brings it.
    """

    exit_code = 4

    def __init__(self, task: str, package: str, extra: str) -> None:
        """Name the package and the extra; see the class."""
        super().__init__(
            task,
            found=f"the package {package!r} is not installed",
            needed=f"the extra {extra!r} of depthsep",
            do=f"pip install 'depthsep[{extra}]'",
        )
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors travel between processes."""
        return type(self), (self.asked, self.package, self.extra)
