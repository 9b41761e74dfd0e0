"""The language of profiles: formulas in one variable, read by a whitelist grammar and evaluated rigorously.

Grammar (`docs/expressions.md` is the page for users)::

    sum      = product (("+" | "-") product)*
    product  = signed (("*" | "/") signed)*
    signed   = ("-" | "+") signed | power
    power    = atom ["^" signed]                      so -r^2 = -(r^2), and 2^3^2 = 2^9
    atom     = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

Numbers are decimals and are taken exactly. An exponent is a constant that evaluates exactly to an integer between -200
and 200. There is no eval anywhere: a text becomes a flat list of nodes in postorder, and every interpreter (exact
rationals, balls, balls with derivatives, or the caller's own table of operations) walks that list.

A formula is either continuous where it is defined, or undefined: there is no step function in the language.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from flint import arb, fmpq

from depthsep_check.numbers import ball_between

MAX_LENGTH = 2000
MAX_NODES = 500
MAX_NESTING = 60
MAX_EXPONENT = 200
MAX_DECIMAL_EXPONENT = 50
MAX_EXACT_BITS = 20_000

ONE_ARGUMENT = ("abs", "sqrt", "exp", "log", "sin", "cos", "tanh")
MANY_ARGUMENTS = ("min", "max")
FUNCTIONS = ONE_ARGUMENT + MANY_ARGUMENTS

T = TypeVar("T")
Dual = tuple[arb, arb]


class ExpressionError(ValueError):
    """A text that is not a formula of the language.

    The message shows the text with a caret under the place, what was expected there, and often how to write it.

    Attributes:
        text: the user's text.
        position: the index of the offending character.
        expected: what the grammar wanted there.
        hint: how to write what was probably meant, or an empty string.
    """

    def __init__(self, text: str, position: int, expected: str, hint: str = "") -> None:
        """Compose the message."""
        self.text = text
        self.position = position
        self.expected = expected
        self.hint = hint
        problem = f"{expected}; {hint}" if hint else expected
        super().__init__(f"cannot read the expression\n{_caret(text, position)}\n{problem}")


class ExpressionDomainError(ValueError):
    """A formula that is certainly undefined at the point where it was evaluated.

    Attributes:
        text: the user's text.
        position: the index of the subexpression without a value.
        reason: why it has none.
    """

    def __init__(self, text: str, position: int, reason: str) -> None:
        """Compose the message."""
        self.text = text
        self.position = position
        self.reason = reason
        super().__init__(f"the expression has no value\n{_caret(text, position)}\n{reason}")


class Undefined(Exception):  # noqa: N818 - a signal from an operation to the walker, not an error for users
    """Raised by an operation of a table that has no value at its arguments."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a formula; its arguments stand earlier in the list.

    Attributes:
        kind: "number", "variable", "dim", "pi", "add", "sub", "mul", "div", "neg", "power", or the name of a function.
        args: indices of the arguments.
        value: the rational of a "number", the integer exponent of a "power" once it is known, otherwise None.
        position: where it stands in the text.
    """

    kind: str
    args: tuple[int, ...]
    value: Any
    position: int


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A formula in one variable, immutable; made by `parse`.

    Attributes:
        text: the text it was read from.
        variables: the names under which the one variable may appear.
        nodes: the formula in postorder, the exponents and the dimension `d` unresolved.
    """

    text: str
    variables: tuple[str, ...]
    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        """The text it was read from."""
        return self.text

    def program(self, dim: int) -> tuple[Node, ...]:
        """The formula in postorder for one dimension: `d` is a number and every exponent an integer.

        The last node is the result. The kinds left are "number" (value an fmpq), "variable", "pi", "add", "sub", "mul",
        "div", "neg", "power" (one argument, value an int) and the functions.

        Raises:
            ExpressionError: an exponent that depends on `d` is not an integer between -200 and 200 at this dimension.
        """
        return _program(self, dim)

    def evaluate(self, operations: Mapping[str, Callable[..., T]], x: T, dim: int) -> T:
        """Walk the formula with the caller's operations.

        Args:
            operations: for every kind but "variable" a callable; "number" gets the fmpq, "pi" nothing, "power" the base
                and the integer exponent, the others their arguments.
            x: the value of the variable.
            dim: the dimension, the value of `d`.

        Raises:
            ExpressionDomainError: an operation raised `Undefined`.
        """
        return self._walk(self.program(dim), operations, x)

    def rational(self, x: fmpq, dim: int) -> fmpq | None:
        """The exact value where only exact operations are met, None otherwise.

        Exact are + - * / ^ abs min max and the square root of a rational square.

        Raises:
            ExpressionDomainError: the formula is undefined at x.
        """
        return self._walk(self.program(dim), _RATIONAL, x)

    def ball(self, x: arb, dim: int) -> arb:
        """An enclosure of the values over the ball `x` at the current precision.

        It is not finite when the formula is undefined, unbounded or undecided anywhere on the ball.
        """
        if x.is_exact():
            return self._point(self.program(dim), x)
        return self.ball_with_derivative(x, dim)[0]

    def ball_with_derivative(self, x: arb, dim: int) -> Dual:
        """Enclosures of the values and of the Clarke derivatives over the ball `x`.

        The derivative is not finite where no bound for it is known; the mean value inequality holds where it is finite.
        """
        if not x.is_finite():
            return arb.nan(), arb.nan()
        return self.enclose(x.lower().fmpq(), x.upper().fmpq(), dim)

    def enclose(self, low: fmpq, high: fmpq, dim: int) -> Dual:
        """As `ball_with_derivative`, over the interval [low, high] with exact rational ends."""
        program = self.program(dim)
        results: list[Dual] = []
        signs: list[bool] = []  # whether a node is certainly nonnegative, which the ball of a node near 0 cannot say
        for node in program:
            arguments = [results[i] for i in node.args]
            if node.kind == "variable":
                pair = ball_between(low, high), arb(1)
            elif node.kind == "number":
                pair = arb(node.value), arb(0)
            elif node.kind == "power":
                pair = _dual_power(*arguments[0], node.value)
            elif node.kind == "sqrt":
                upto, slope = node.args[0] + 1, arguments[0][1]
                nonnegative = signs[upto - 1] or self._monotone_nonnegative(program[:upto], slope, low, high)
                pair = _dual_sqrt(*arguments[0], nonnegative)
            else:
                pair = _DUAL[node.kind](*arguments)
            if not pair[0].is_finite():
                return arb.nan(), arb.nan()
            results.append(pair)
            signs.append(bool(pair[0] >= 0) or _nonnegative(node, [signs[i] for i in node.args], low))
        return results[-1]

    def _monotone_nonnegative(self, program: Sequence[Node], slope: arb, low: fmpq, high: fmpq) -> bool:
        """Whether a subformula is certainly >= 0 on [low, high]: monotone, and >= 0 at the end where it is smallest."""
        if slope >= 0:
            end = low
        elif slope <= 0:
            end = high
        else:
            return False
        try:
            exact = self._walk(program, _RATIONAL, end)
        except ExpressionDomainError:
            return False
        return bool((self._point(program, arb(end)) if exact is None else exact) >= 0)

    def _walk(self, program: Sequence[Node], operations: Mapping[str, Callable[..., T]], x: T) -> T:
        results: list[T] = []
        for node in program:
            if node.kind == "variable":
                results.append(x)
                continue
            arguments = [results[i] for i in node.args]
            try:
                if node.value is None:
                    results.append(operations[node.kind](*arguments))
                else:
                    results.append(operations[node.kind](*arguments, node.value))
            except Undefined as error:
                raise ExpressionDomainError(self.text, node.position, str(error)) from None
        return results[-1]

    def _point(self, program: Sequence[Node], x: arb) -> arb:
        """Plain ball evaluation; not finite as soon as one operation is not."""
        try:
            return self._walk(program, _BALL, x)
        except ExpressionDomainError:
            return arb.nan()


def parse(text: str, variables: tuple[str, ...] = ("r",)) -> Expression:
    """Read a formula.

    Args:
        text: the formula, for example "max(0, 1/2 - r)".
        variables: the names under which its one variable may appear.

    Raises:
        ExpressionError: it is not a formula of the language, or over a limit.

    >>> parse("abs(r - 1/2)").rational(fmpq(1, 8), dim=10)
    3/8
    >>> parse("3r")
    Traceback (most recent call last):
    depthsep_check.expression.ExpressionError: cannot read the expression
        3r
         ^
    expected an operator or the end; write 3*r
    """
    nodes = _Parser(text, variables).parse()
    expression = Expression(text, variables, nodes)
    _resolve_exponents(expression, None)
    return expression


# ------------------------------------------------------------------------------------------------------------------
# Text to nodes


_TOKEN = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[A-Za-z_][A-Za-z_0-9]*|\*\*|.")
_HINTS = {
    "**": "write ^ for a power",
    "|": "write abs(...) for the absolute value",
    "π": "write pi",
    "−": "write the plain minus sign -",
    "–": "write the plain minus sign -",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    "√": "write sqrt(...)",
    "²": "write ^2",
    "³": "write ^3",
    "[": "write ( and )",
    "{": "write ( and )",
    "=": "write only the formula of the profile, without =",
    "<": "a step is not continuous: use ball(r0, margin) in place of the expression",
    ">": "a step is not continuous: use ball(r0, margin) in place of the expression",
    "'": "a derivative is not part of the language",
}
_STEPS = ("indicator", "step", "heaviside", "sign", "sgn", "floor", "ceil", "round", "ball")
_OTHER_NAMES = {
    "ln": "write log(...), the natural logarithm",
    "log10": "write log(...)/log(10)",
    "log2": "write log(...)/log(2)",
    "e": "write exp(1)",
    "relu": "write max(0, ...)",
    "pow": "write ^ for a power",
    "sinh": "write (exp(x) - exp(-x))/2",
    "cosh": "write (exp(x) + exp(-x))/2",
    "tan": "write sin(...)/cos(...)",
    "dim": "write d for the dimension",
}


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    position: int

    @property
    def is_number(self) -> bool:
        return self.text[:1] in tuple("0123456789") or (self.text[:1] == "." and len(self.text) > 1)

    @property
    def is_name(self) -> bool:
        return self.text.isascii() and (self.text[:1].isalpha() or self.text[:1] == "_")


class _Parser:
    """Recursive descent; nodes are appended in postorder, a method returns the index of the node it made."""

    def __init__(self, text: str, variables: tuple[str, ...]) -> None:
        self.text = text
        self.variables = variables
        if len(text) > MAX_LENGTH:
            self.fail(MAX_LENGTH, f"an expression has at most {MAX_LENGTH} characters, this one has {len(text)}")
        found = [_Token(m[0], m.start()) for m in _TOKEN.finditer(text.replace("\n", " ")) if not m[0].isspace()]
        self.tokens = [*found, _Token("", len(text))]
        self.at = 0
        self.depth = 0
        self.nodes: list[Node] = []

    def parse(self) -> tuple[Node, ...]:
        if len(self.tokens) == 1:
            name = self.variables[0]
            self.fail(0, "the expression is empty", f"write a formula in {name}, such as 1 - {name}")
        self.sum()
        if self.token.text:
            self.unexpected("an operator or the end")
        return tuple(self.nodes)

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def emit(self, kind: str, args: tuple[int, ...], position: int, value: fmpq | None = None) -> int:
        if len(self.nodes) == MAX_NODES:
            self.fail(position, f"an expression has at most {MAX_NODES} operations, numbers and names")
        self.nodes.append(Node(kind, args, value, position))
        return len(self.nodes) - 1

    def sum(self) -> int:
        left = self.product()
        while self.token.text in ("+", "-"):
            operator = self.take()
            right = self.product()
            left = self.emit("add" if operator.text == "+" else "sub", (left, right), operator.position)
        return left

    def product(self) -> int:
        left = self.signed()
        while self.token.text in ("*", "/"):
            operator = self.take()
            right = self.signed()
            left = self.emit("mul" if operator.text == "*" else "div", (left, right), operator.position)
        return left

    def signed(self) -> int:
        # Every recursion of the grammar passes here, so this one counter bounds the depth of the call stack.
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.fail(self.token.position, f"an expression is nested at most {MAX_NESTING} deep")
        if self.token.text in ("-", "+"):
            sign = self.take()
            result = self.signed()
            if sign.text == "-":
                result = self.emit("neg", (result,), sign.position)
        else:
            result = self.power()
        self.depth -= 1
        return result

    def power(self) -> int:
        base = self.atom()
        if self.token.text != "^":
            return base
        operator = self.take()
        exponent = self.signed()
        return self.emit("power", (base, exponent), operator.position)

    def atom(self) -> int:
        token = self.token
        if token.is_number:
            return self.emit("number", (), token.position, self.number(self.take()))
        if token.is_name:
            return self.name(self.take())
        if token.text == "(":
            self.take()
            inside = self.sum()
            self.close()
            return inside
        self.unexpected("a number, a name or (")

    def number(self, token: _Token) -> fmpq:
        mantissa, _, exponent_text = token.text.lower().partition("e")
        exponent = int(exponent_text) if exponent_text else 0
        if abs(exponent) > MAX_DECIMAL_EXPONENT:
            self.fail(token.position, f"the exponent of a decimal is at most {MAX_DECIMAL_EXPONENT} in size")
        whole, _, decimals = mantissa.partition(".")
        return fmpq(int(whole + decimals)) * fmpq(10) ** (exponent - len(decimals))

    def name(self, token: _Token) -> int:
        if token.text in FUNCTIONS:
            return self.function(token)
        if token.text in self.variables:
            return self.emit("variable", (), token.position)
        if token.text in ("d", "pi"):
            return self.emit("dim" if token.text == "d" else "pi", (), token.position)
        self.unknown(token)

    def function(self, token: _Token) -> int:
        if self.token.text != "(":
            self.fail(self.token.position, f"expected ( after {token.text}", f"write {token.text}(...)")
        self.take()
        args = [self.sum()]
        while self.token.text == "," and token.text in MANY_ARGUMENTS:
            self.take()
            args.append(self.sum())
        if self.token.text == ",":
            self.fail(self.token.position, "expected )", f"{token.text} takes one argument")
        if token.text in MANY_ARGUMENTS and len(args) == 1:
            self.unexpected("a comma", f"{token.text} takes two or more arguments")
        self.close()
        return self.emit(token.text, tuple(args), token.position)

    def close(self) -> None:
        if self.token.text != ")":
            self.unexpected("an operator or )")
        self.take()

    def unexpected(self, expected: str, hint: str = "") -> NoReturn:
        token, before = self.token, self.tokens[self.at - 1] if self.at else None
        if not hint:
            hint = _HINTS.get(token.text, "")
        if not hint and before and (token.is_number or token.is_name or token.text == "(") and "operator" in expected:
            hint = f"write {before.text}*{token.text}"
        if not hint and token.text == ",":
            hint = "a decimal is written with a point, and only min and max take several arguments"
        if not hint and not token.text and ")" in expected:
            hint = "a ( is not closed"
        if not hint and token.text == ")" and "end" in expected:
            hint = "this ) has no ("
        self.fail(token.position, f"expected {expected}", hint)

    def unknown(self, token: _Token) -> NoReturn:
        known = [*self.variables, "d", "pi", *FUNCTIONS]
        hint = _OTHER_NAMES.get(token.text.lower(), "")
        if token.text.lower() in _STEPS:
            hint = "a step is not continuous: use ball(r0, margin) in place of the whole expression"
        elif not hint:
            close = difflib.get_close_matches(token.text.lower(), known, n=1)
            hint = f"did you mean {close[0]}?" if close else ""
        names = f"expected one of {', '.join(known)}"
        shown = token.text if len(token.text) <= 30 else token.text[:30] + "..."
        self.fail(token.position, f"{names}, found {shown}", hint)

    def fail(self, position: int, expected: str, hint: str = "") -> NoReturn:
        raise ExpressionError(self.text, position, expected, hint)


def _caret(text: str, position: int) -> str:
    """The text, cut to a window about the position, with a caret under it."""
    start = max(0, min(position - 40, len(text) - 76))
    line = "".join(c if c.isprintable() else " " for c in text[start : start + 76])
    before, after = "..." if start else "", "..." if start + 76 < len(text) else ""
    return f"    {before}{line}{after}\n    {' ' * (len(before) + position - start)}^"


# ------------------------------------------------------------------------------------------------------------------
# Exponents, and the program of one dimension


@lru_cache(maxsize=64)
def _program(expression: Expression, dim: int) -> tuple[Node, ...]:
    exponents = _resolve_exponents(expression, dim)
    nodes = expression.nodes
    needed = {len(nodes) - 1}
    for index in range(len(nodes) - 1, -1, -1):
        if index in needed:
            needed.update(nodes[index].args[:1] if nodes[index].kind == "power" else nodes[index].args)
    place: dict[int, int] = {}
    program: list[Node] = []
    for index, node in enumerate(nodes):
        if index not in needed:
            continue
        place[index] = len(program)
        if node.kind == "power":
            program.append(Node("power", (place[node.args[0]],), exponents[index], node.position))
        elif node.kind == "dim":
            program.append(Node("number", (), fmpq(dim), node.position))
        else:
            program.append(Node(node.kind, tuple(place[i] for i in node.args), node.value, node.position))
    return tuple(program)


def _resolve_exponents(expression: Expression, dim: int | None) -> dict[int, int]:
    """The integer exponent of every power; without a dimension, of those that do not depend on `d`."""
    exponents: dict[int, int] = {}
    values: list[fmpq | None] = []
    depends: list[frozenset[str]] = []
    for index, node in enumerate(expression.nodes):
        on: frozenset[str] = frozenset().union(*(depends[i] for i in node.args))
        if node.kind == "variable" or (node.kind == "dim" and dim is None):
            on = frozenset((node.kind,))
        depends.append(on)
        if node.kind == "power" and not depends[node.args[1]] - {"variable"}:
            exponents[index] = _exponent(expression, node, values[node.args[1]], depends[node.args[1]])
        values.append(None if on else _constant(node, [values[i] for i in node.args], exponents.get(index), dim))
    return exponents


def _constant(node: Node, args: list[fmpq | None], exponent: int | None, dim: int | None) -> fmpq | None:
    """The exact value of a constant node, None if it has none."""
    if node.kind == "dim":
        return fmpq(dim)
    if node.kind == "power":
        args = [args[0], exponent]
    elif node.kind == "number":
        args = [node.value]
    try:
        return _RATIONAL[node.kind](*args)
    except Undefined:
        return None


def _exponent(expression: Expression, node: Node, value: fmpq | None, depends: frozenset[str]) -> int:
    wanted = f"the exponent must be an integer between -{MAX_EXPONENT} and {MAX_EXPONENT}"
    position = node.position + 1
    if depends:
        raise ExpressionError(expression.text, position, wanted, "write exp(b*log(a)) for a^b with a variable b")
    if value is None or value.q != 1 or abs(value) > MAX_EXPONENT:
        half = value is not None and value.q == 2 and abs(value) <= MAX_EXPONENT
        hint = "write sqrt(...) for the exponent 1/2" if half else "write exp(b*log(a)) for a^b with another b"
        raise ExpressionError(expression.text, position, wanted, hint)
    return int(value.p)


# ------------------------------------------------------------------------------------------------------------------
# Exact rationals. None stands for a value that is not known exactly.


def _exactly(operation: Callable[..., fmpq]) -> Callable[..., fmpq | None]:
    """The operation where all arguments are known and the result is not enormous, None otherwise."""

    def apply(*args: fmpq | None) -> fmpq | None:
        if any(a is None for a in args):
            return None
        result = operation(*args)
        return result if result is not None and result.height_bits() <= MAX_EXACT_BITS else None

    return apply


def _rational_div(a: fmpq | None, b: fmpq | None) -> fmpq | None:
    if b is not None and b == 0:
        raise Undefined("division by 0")
    return None if a is None or b is None else a / b


def _rational_power(base: fmpq | None, exponent: int) -> fmpq | None:
    if base is None:
        return fmpq(1) if exponent == 0 else None
    if base == 0 and exponent < 0:
        raise Undefined("0 to a negative power")
    return base**exponent if base.height_bits() * abs(exponent) <= MAX_EXACT_BITS else None


def _rational_sqrt(a: fmpq | None) -> fmpq | None:
    if a is None:
        return None
    if a < 0:
        raise Undefined("the square root of a negative number")
    root_p, root_q = a.p.isqrt(), a.q.isqrt()
    return fmpq(root_p, root_q) if root_p * root_p == a.p and root_q * root_q == a.q else None


def _rational_log(a: fmpq | None) -> None:
    if a is not None and a <= 0:
        raise Undefined("the logarithm of a number that is not positive")


_RATIONAL: dict[str, Callable[..., fmpq | None]] = {
    "number": lambda value: value,
    "pi": lambda: None,
    "add": _exactly(lambda a, b: a + b),
    "sub": _exactly(lambda a, b: a - b),
    "mul": _exactly(lambda a, b: a * b),
    "div": _rational_div,
    "neg": _exactly(lambda a: -a),
    "power": _rational_power,
    "abs": _exactly(abs),
    "sqrt": _rational_sqrt,
    "exp": lambda a: None,
    "log": _rational_log,
    "sin": lambda a: None,
    "cos": lambda a: None,
    "tanh": lambda a: None,
    "min": _exactly(min),
    "max": _exactly(max),
}


# ------------------------------------------------------------------------------------------------------------------
# Balls at a point


def _finite(operation: Callable[..., arb]) -> Callable[..., arb]:
    def apply(*args: object) -> arb:
        result = operation(*args)
        if not result.is_finite():
            raise Undefined("no finite enclosure")
        return result

    return apply


def _fold(operation: Callable[[T, T], T]) -> Callable[..., T]:
    def apply(first: T, *others: T) -> T:
        for other in others:
            first = operation(first, other)
        return first

    return apply


def _ball_power(a: arb, n: int) -> arb:
    """a^n, by monotonicity where the ball contains 0 (the library's power is not finite for a ball about 0)."""
    if n < 0:
        return 1 / _ball_power(a, -n)
    if n == 0:
        return arb(1)
    if not a.contains(0):
        return a**n
    low, high = a.lower(), a.upper()
    if n % 2:
        below, above = _zero_or_power(-low, n), _zero_or_power(high, n)
        return (-below).union(above)
    return _zero_to(_zero_or_power(low.max(-low).max(high), n))


def _zero_or_power(a: arb, n: int) -> arb:
    return a**n if a > 0 else arb(0)


def _zero_to(a: arb) -> arb:
    """A ball that contains [0, upper end of a], for a ball with a nonnegative upper end."""
    half = a.upper() / 2
    return half + arb(0, 1) * half


_BALL: dict[str, Callable[..., arb]] = {
    kind: _finite(operation)
    for kind, operation in {
        "number": arb,
        "pi": arb.pi,
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "power": _ball_power,
        "abs": abs,
        "sqrt": arb.sqrt,
        "exp": arb.exp,
        "log": arb.log,
        "sin": arb.sin,
        "cos": arb.cos,
        "tanh": arb.tanh,
        "min": _fold(arb.min),
        "max": _fold(arb.max),
    }.items()
}


# ------------------------------------------------------------------------------------------------------------------
# Balls with Clarke derivatives over an interval: pairs (value, derivative). A derivative that is not known is not
# finite, and stays so through every operation except where the argument does not matter.


def _nonnegative(node: Node, signs: list[bool], low: fmpq) -> bool:
    """Whether a node is nonnegative by its form, given which of its arguments are."""
    kind = node.kind
    if kind == "variable":
        return bool(low >= 0)
    if kind in ("abs", "sqrt", "exp"):
        return True
    if kind == "power":
        return node.value % 2 == 0 or signs[0]
    if kind == "max":
        return any(signs)
    return kind in ("add", "mul", "div", "min", "tanh") and all(signs)


def _dual_power(a: arb, slope: arb, n: int) -> Dual:
    if n == 0 or slope.is_zero():
        return _ball_power(a, n), arb(0)
    return _ball_power(a, n), n * _ball_power(a, n - 1) * slope


def _dual_sqrt(a: arb, slope: arb, nonnegative: bool) -> Dual:
    if a > 0:
        root = a.sqrt()
        return root, slope / (2 * root)
    if not nonnegative:
        return arb.nan(), arb.nan()
    # The exact argument is >= 0 although its ball reaches 0 or below; at 0 the root has no derivative.
    return _zero_to(a.upper().sqrt()), arb(0) if slope.is_zero() else arb.nan()


def _dual_abs(a: Dual) -> Dual:
    value, slope = a
    if value >= 0:
        return a
    if value <= 0:
        return -value, -slope
    return abs(value), slope * arb(0, 1)


def _dual_min(a: Dual, b: Dual) -> Dual:
    if a[0] <= b[0]:
        return a
    if b[0] <= a[0]:
        return b
    return a[0].min(b[0]), _hull(a[1], b[1])


def _dual_max(a: Dual, b: Dual) -> Dual:
    if a[0] >= b[0]:
        return a
    if b[0] >= a[0]:
        return b
    return a[0].max(b[0]), _hull(a[1], b[1])


def _hull(a: arb, b: arb) -> arb:
    return a.union(b) if a.is_finite() and b.is_finite() else arb.nan()


def _dual_div(a: Dual, b: Dual) -> Dual:
    quotient = a[0] / b[0]
    return quotient, (a[1] - quotient * b[1]) / b[0]


def _dual_exp(a: Dual) -> Dual:
    value = a[0].exp()
    return value, value * a[1]


def _dual_tanh(a: Dual) -> Dual:
    return a[0].tanh(), a[1] * a[0].sech() ** 2


_DUAL: dict[str, Callable[..., Dual]] = {
    "pi": lambda: (arb.pi(), arb(0)),
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda a, b: (a[0] - b[0], a[1] - b[1]),
    "mul": lambda a, b: (a[0] * b[0], a[1] * b[0] + a[0] * b[1]),
    "div": _dual_div,
    "neg": lambda a: (-a[0], -a[1]),
    "abs": _dual_abs,
    "exp": _dual_exp,
    "log": lambda a: (a[0].log(), a[1] / a[0]),
    "sin": lambda a: (a[0].sin(), a[0].cos() * a[1]),
    "cos": lambda a: (a[0].cos(), -a[0].sin() * a[1]),
    "tanh": _dual_tanh,
    "min": _fold(_dual_min),
    "max": _fold(_dual_max),
}
