"""What a check can end in: one of five verdicts, and the exceptions that carry them inside the checker.

    CheckFailure
    ├── Refuted      this proof does not hold at this step (the claim itself may be true or false)
    ├── Malformed    not a document of the format
    ├── Exhausted    a work limit was reached before a decision
    └── Unsupported  another version, or a kind that this checker does not know

The public functions of the package turn them into a `Verdict`; they never let one out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MAX_TEXT = 1000


class Status(Enum):
    """The five verdicts; the value is the exit code of the program."""

    VERIFIED = 0
    REFUTED = 1
    MALFORMED = 2
    EXHAUSTED = 3
    UNSUPPORTED = 5

    @property
    def exit_code(self) -> int:
        """Exit code of a program that prints this verdict."""
        return self.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check.

    Attributes:
        status: which of the five verdicts.
        text: the proved statement when verified, otherwise where and why the check stopped.
    """

    status: Status
    text: str

    @property
    def ok(self) -> bool:
        """True exactly when the claim is proved."""
        return self.status is Status.VERIFIED

    @property
    def line(self) -> str:
        """The verdict as the program prints it, on one line."""
        return f"{self.status.name} {self.text}"

    @property
    def exit_code(self) -> int:
        """Exit code of a program that prints this verdict."""
        return self.status.exit_code


class CheckFailure(Exception):  # noqa: N818 - the four below are verdicts rather than errors
    """A check that did not end in VERIFIED; `status` and `text` are those of the verdict."""

    status: Status

    def __init__(self, text: str) -> None:
        """Keep the text of the verdict."""
        super().__init__(text)
        self.text = text

    def verdict(self) -> Verdict:
        """The verdict that this failure stands for."""
        return Verdict(self.status, one_line(self.text))


class Refuted(CheckFailure):
    """The proof fails at `step` for `reason`."""

    status = Status.REFUTED

    def __init__(self, step: str, reason: str) -> None:
        """Keep the step and the reason."""
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason


class Malformed(CheckFailure):
    """The text is not a document of the format: at `place`, for `reason`."""

    status = Status.MALFORMED

    def __init__(self, place: str, reason: str) -> None:
        """Keep the place and the reason."""
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class Exhausted(CheckFailure):
    """A work limit was reached at `step` before a decision."""

    status = Status.EXHAUSTED

    def __init__(self, step: str, reason: str) -> None:
        """Keep the step and the reason."""
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason


class Unsupported(CheckFailure):
    """The document asks for something that this checker does not know."""

    status = Status.UNSUPPORTED

    def __init__(self, what: str) -> None:
        """Keep what is not known."""
        super().__init__(what)
        self.what = what


class Budget:
    """A work allowance, so that no document can keep the checker busy for hours.

    One unit is roughly the work of one box or one small polynomial.
    """

    def __init__(self, limit: int) -> None:
        """Start with `limit` units."""
        self.limit = limit
        self.left = limit

    def spend(self, step: str, amount: int = 1) -> None:
        """Take `amount` units.

        Raises:
            Exhausted: at `step`, when the allowance does not hold that many.
        """
        self.left -= amount
        if self.left < 0:
            raise Exhausted(step, f"the work limit of {self.limit} units was reached")


def one_line(text: str) -> str:
    """`text` made safe to print: one line, printable characters, of bounded length."""
    kept = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."
    return "".join(c if c.isprintable() else " " if c.isspace() else c.encode("unicode_escape").decode() for c in kept)
