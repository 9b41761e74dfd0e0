from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from depthsep_check.expression import (
    FUNCTIONS,
    Expression,
    ExpressionDomainError,
    ExpressionError,
    Undefined,
    parse,
)
from depthsep_check.numbers import precision

# ------------------------------------------------------------------------------------------------------------------
# The oracle: Python's own parser on the same text, with ^ written **. Only here, and only on generated texts.


def oracle(text: str, names: dict[str, object]) -> object:
    return eval(text.replace("^", "**"), {"__builtins__": {}}, names)


def spaced(rng: random.Random, pieces: list[str]) -> str:
    return "".join(piece + " " * rng.choice((0, 0, 0, 1, 3)) for piece in pieces)


def random_pieces(rng: random.Random, depth: int, exact: bool) -> list[str]:
    """The tokens of a random formula; in the exact kind numbers are F(...) in the oracle's text."""
    choice = rng.random()
    if depth == 0 or choice < 0.15:
        return [rng.choice(["r", "r", "d", "N"])]
    inner = random_pieces(rng, depth - 1, exact)
    if choice < 0.45:
        return [*inner, rng.choice("+-*"), *random_pieces(rng, depth - 1, exact)]
    if choice < 0.55:
        return ["(", *inner, ")", "/", "(", "N", "+", "N", ")"]
    if choice < 0.7:
        return ["(", *inner, ")"]
    if choice < 0.8:
        return ["-", *inner]
    if choice < 0.9:
        return ["(", *inner, ")", "^", rng.choice(["2", "3", "(1+1)", "0", "1^2", "2^1"])]
    if exact:
        name = rng.choice(["abs", "min", "max"])
    else:
        name = rng.choice(["abs", "sin", "cos", "tanh", "exp", "min", "max"])
    if name in ("min", "max"):
        return [name, "(", *inner, ",", *random_pieces(rng, depth - 1, exact), ",", "r", ")"]
    if name == "exp":
        return ["exp", "(", "-", "abs", "(", *inner, ")", ")"]
    return [name, "(", *inner, ")"]


def random_formula(rng: random.Random, exact: bool) -> tuple[str, str]:
    """A random formula as the user writes it and as the oracle reads it."""
    ours, theirs = [], []
    for piece in random_pieces(rng, 4, exact):
        if piece != "N":
            ours.append(piece)
            theirs.append(f"F({piece})" if piece.isdigit() and not exact else piece)
            continue
        number = rng.choice(["2", "0.5", "3.25", ".125", "1e-2", "12.5e1", "7."])
        ours.append(number)
        theirs.append(f"F('{number}')")
    return spaced(rng, ours), "".join(theirs)


def test_exact_values_agree_with_pythons_parser() -> None:
    rng = random.Random(6)
    for _ in range(400):
        ours, theirs = random_formula(rng, exact=True)
        x = Fraction(rng.randint(0, 64), 64)
        wanted = oracle(theirs, {"r": x, "d": 7, "F": Fraction, "abs": abs, "min": min, "max": max})
        assert str(parse(ours).rational(fmpq(x.numerator, x.denominator), 7)) == str(Fraction(wanted)), ours


def mp_names(x: mpmath.mpf) -> dict[str, object]:
    functions = {name: getattr(mpmath, name) for name in ("sin", "cos", "tanh", "exp", "sqrt", "log")}
    return {"r": x, "d": mpmath.mpf(7), "F": mpmath.mpf, "abs": abs, "min": min, "max": max, **functions}


def as_mp(x: fmpq) -> mpmath.mpf:
    return mpmath.mpf(int(x.p)) / int(x.q)


def contains(ball: arb, value: mpmath.mpf) -> bool:
    """Whether the value, known to 60 digits, is in the ball up to 10^-45."""
    slack = mpmath.mpf(10) ** -45 * (1 + abs(value))
    return as_mp(ball.lower().fmpq()) - slack <= value <= as_mp(ball.upper().fmpq()) + slack


def test_balls_contain_the_values_at_random_points() -> None:
    rng = random.Random(7)
    with mpmath.workdps(60), precision(128):
        for _ in range(200):
            ours, theirs = random_formula(rng, exact=False)
            expression = parse(ours)
            low = fmpq(rng.randint(0, 63), 64)
            high = low + fmpq(rng.randint(1, 64 - int(64 * low.p / low.q)), 64)
            value, slope = expression.enclose(low, high, 7)
            for step in range(5):
                x = low + (high - low) * fmpq(rng.randint(0, 1000) if step > 1 else 1000 * step, 1000)
                wanted = oracle(theirs, mp_names(as_mp(x)))
                point = expression.ball(arb(x), 7)
                assert point.is_finite(), ours
                assert contains(point, wanted), ours
                assert not value.is_finite() or contains(value, wanted), ours
            assert value.is_finite()
            assert slope.is_finite()


def test_slopes_contain_all_difference_quotients() -> None:
    # This is what the mean value inequality needs, at kinks as well.
    rng = random.Random(8)
    with mpmath.workdps(60), precision(128):
        for _ in range(150):
            ours, theirs = random_formula(rng, exact=False)
            low = fmpq(rng.randint(0, 60), 64)
            high = low + fmpq(rng.randint(1, 4), 64)
            slope = parse(ours).enclose(low, high, 7)[1]
            for _ in range(3):
                x, y = (low + (high - low) * fmpq(rng.randint(0, 997), 997) for _ in range(2))
                if x != y:
                    rise = oracle(theirs, mp_names(as_mp(x))) - oracle(theirs, mp_names(as_mp(y)))
                    assert contains(slope, rise / (as_mp(x) - as_mp(y))), ours


@pytest.mark.parametrize(
    "text",
    [
        *("exp(-r^2)", "sin(3*r)/3", "log(1 + r)", "sqrt(1/4 + r)", "tanh(2*r - 1)", "r^(-3) * cos(r)"),
        *("1/(1 + r^2)", "(1 + r)^d", "r^3 - 2*r^2", "exp(r)/(2 - r)"),
    ],
)
def test_derivatives_at_points_agree_with_mpmath(text: str) -> None:
    expression = parse(text)
    with mpmath.workdps(60), precision(128):
        for numerator in (1, 5, 9):
            x = fmpq(numerator, 10)
            value, slope = expression.ball_with_derivative(arb(x), 7)
            names = {**mp_names(as_mp(x)), "d": 7}
            wanted = mpmath.diff(lambda r, names=names: oracle(text, {**names, "r": r}), as_mp(x))
            assert contains(value, oracle(text, names))
            assert slope.rad() < 1e-30
            assert abs(as_mp(slope.mid().fmpq()) - wanted) < 1e-20


@given(st.text(alphabet="r0123456789.eE+-*/^(), dpiabsqrtxonlghmc", max_size=40))
def test_any_text_is_read_or_refused_with_a_caret(text: str) -> None:
    outcome = parsed(text)
    if isinstance(outcome, ExpressionError):
        assert outcome.text == text
        assert 0 <= outcome.position <= len(text)
        assert str(outcome).splitlines()[2].endswith("^")
    else:
        assert outcome.text == text
        use_every_interpreter(outcome)


@given(st.text(max_size=60))
def test_any_unicode_text_is_read_or_refused(text: str) -> None:
    outcome = parsed(text)
    if isinstance(outcome, ExpressionError):
        assert len(str(outcome).splitlines()) == 4
    else:
        use_every_interpreter(outcome)


def parsed(text: str) -> Expression | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error


def use_every_interpreter(expression: Expression) -> None:
    """Nothing but the documented errors is raised, and the interpreters agree."""
    try:
        point = expression.ball(arb(0.5), 3)
        box = expression.enclose(fmpq(0), fmpq(1), 3)[0]
        exact = expression.rational(fmpq(1, 2), 3)
    except (ExpressionError, ExpressionDomainError):
        return
    assert exact is None or not point.is_finite() or point.contains(exact)
    assert exact is None or not box.is_finite() or box.contains(exact)


# ------------------------------------------------------------------------------------------------------------------
# What is accepted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-r^2", fmpq(-1, 16)),
        ("(-r)^2", fmpq(1, 16)),
        ("2^3^2", fmpq(512)),
        ("2^-2", fmpq(1, 4)),
        ("--r", fmpq(1, 4)),
        ("+r", fmpq(1, 4)),
        ("1 - r - r", fmpq(1, 2)),
        ("1/2/2", fmpq(1, 4)),
        ("0.1", fmpq(1, 10)),
        ("1e-3", fmpq(1, 1000)),
        ("r^0", fmpq(1)),
        ("0^0", fmpq(1)),
        ("2^d", fmpq(8)),
        ("r^(d - 1)", fmpq(1, 16)),
        ("sqrt(r)", fmpq(1, 2)),
        ("sqrt(9/4)*d", fmpq(9, 2)),
        ("max(0, r - 1, r/2)", fmpq(1, 8)),
        ("min(1, 2, 3)", fmpq(1)),
        ("\tr\n", fmpq(1, 4)),
    ],
)
def test_exact_values(text: str, value: fmpq) -> None:
    assert parse(text).rational(fmpq(1, 4), 3) == value


@pytest.mark.parametrize("text", ["pi", "sin(0)", "sqrt(2)", "exp(r)", "2*cos(r)", "max(1, tanh(r))", "sqrt(r - pi)"])
def test_inexact_values_are_none(text: str) -> None:
    assert parse(text).rational(fmpq(1, 4), 3) is None


def test_enormous_exact_values_are_none_and_cost_nothing() -> None:
    assert parse("((((r + 2)^200)^200)^200)^200").rational(fmpq(1, 4), 3) is None
    assert parse("(((10^50)^200)^200)^200").ball(arb(0), 3).is_finite()


def test_other_names_for_the_variable() -> None:
    expression = parse("t^2 + d", ("t",))
    assert expression.rational(fmpq(3), 4) == 13
    assert expression.variables == ("t",)
    with pytest.raises(ExpressionError, match="expected one of t, d, pi"):
        parse("r", ("t",))


def test_the_program_is_flat_and_resolved() -> None:
    program = parse("r^(d - 1)*pi - d").program(3)
    assert [node.kind for node in program] == ["variable", "power", "pi", "mul", "number", "sub"]
    assert program[1].args == (0,)
    assert program[1].value == 2
    assert program[4].value == 3
    assert program[5].args == (3, 4)


def test_a_table_of_operations_interprets_the_program() -> None:
    table = {
        "number": lambda value: str(value),
        "pi": lambda: "pi",
        "add": lambda a, b: f"[{a} + {b}]",
        "power": lambda a, n: f"{a}**{n}",
        "max": lambda *args: "|".join(args),
    }
    assert parse("max(r, pi, d) + 0.5^2").evaluate(table, "x", 4) == "[x|pi|4 + 1/2**2]"


def test_an_undefined_operation_of_a_table_is_located() -> None:
    def divide(a: float, b: float) -> float:
        if b == 0:
            raise Undefined("division by 0")
        return a / b

    table = {"number": lambda value: float(value.p) / float(value.q), "div": divide, "add": lambda a, b: a + b}
    with pytest.raises(ExpressionDomainError, match="division by 0") as caught:
        parse("1 + 1/r").evaluate(table, 0.0, 2)
    assert caught.value.position == 5


def test_str_is_the_text() -> None:
    assert str(parse(" 1 -r")) == " 1 -r"


# ------------------------------------------------------------------------------------------------------------------
# What is refused, and how the user learns it

REFUSALS = [
    ("", 0, "the expression is empty", "such as 1 - r"),
    ("   ", 0, "the expression is empty", ""),
    ("3r", 1, "expected an operator or the end", "write 3*r"),
    ("2 (r)", 2, "expected an operator or the end", "write 2*("),
    ("r(1 + r)", 1, "expected an operator or the end", "write r*("),
    ("(1 + r)(1 - r)", 7, "expected an operator or the end", "write )*("),
    ("2exp(r)", 1, "expected an operator or the end", "write 2*exp"),
    ("r**2", 1, "expected an operator or the end", "write ^ for a power"),
    ("|r|", 0, "expected a number, a name or (", "write abs(...)"),
    ("r - |r|", 4, "expected a number, a name or (", "write abs(...)"),
    ("1 - ", 4, "expected a number, a name or (", ""),
    ("r^^2", 2, "expected a number, a name or (", ""),
    ("*r", 0, "expected a number, a name or (", ""),
    ("(1 + r", 6, "expected an operator or )", "a ( is not closed"),
    ("1 + r)", 5, "expected an operator or the end", "this ) has no ("),
    ("sin r", 4, "expected ( after sin", "write sin(...)"),
    ("sin", 3, "expected ( after sin", "write sin(...)"),
    ("max(r)", 5, "expected a comma", "max takes two or more arguments"),
    ("abs(r, 1)", 5, "expected )", "abs takes one argument"),
    ("max()", 4, "expected a number, a name or (", ""),
    ("0,1", 1, "expected an operator or the end", "a decimal is written with a point"),
    ("1.2.3", 3, "expected an operator or the end", "write 1.2*.3"),
    ("pi/π", 3, "expected a number, a name or (", "write pi"),
    ("1 − r", 2, "expected an operator or the end", "write the plain minus sign"),
    ("r²", 1, "expected an operator or the end", "write ^2"),
    ("√r", 0, "expected a number, a name or (", "write sqrt(...)"),
    ("1 - r = 0", 6, "expected an operator or the end", "without ="),
    ("r < 1/2", 2, "expected an operator or the end", "ball(r0, margin)"),
    ("indicator(r < 1/2)", 0, "expected one of r, d, pi", "a step is not continuous: use ball(r0, margin)"),
    ("ball(1/2, 0.05)", 0, "expected one of r, d, pi", "in place of the whole expression"),
    ("ln(r)", 0, "found ln", "write log(...)"),
    ("x", 0, "found x", ""),
    ("sqr(r)", 0, "found sqr", "did you mean sqrt?"),
    ("Sin(r)", 0, "found Sin", "did you mean sin?"),
    ("__import__('os')", 0, "found __import__", ""),
    ("r.real", 1, "expected an operator or the end", ""),
    ("[r for r in d]", 0, "expected a number, a name or (", "write ( and )"),
    ("r^(1/2)", 2, "the exponent must be an integer between -200 and 200", "write sqrt(...)"),
    ("2^0.3", 2, "the exponent must be an integer", "write exp(b*log(a))"),
    ("2^201", 2, "the exponent must be an integer", ""),
    ("9^9^9^9", 4, "the exponent must be an integer", ""),
    ("r^r", 2, "the exponent must be an integer", "write exp(b*log(a))"),
    ("2^-r^0", 2, "the exponent must be an integer", ""),
    ("r^pi", 2, "the exponent must be an integer", ""),
    ("2^(1/0)", 2, "the exponent must be an integer", ""),
    ("1e51", 0, "the exponent of a decimal is at most 50", ""),
    ("-" * 61 + "r", 60, "nested at most 60 deep", ""),
    ("(" * 61 + "r", 60, "nested at most 60 deep", ""),
    ("2^" * 61 + "1", 120, "nested at most 60 deep", ""),
    ("r" + "+r" * 260, 499, "at most 500 operations, numbers and names", ""),
    ("r" + " " * 2000, 2000, "at most 2000 characters, this one has 2001", ""),
]


@pytest.mark.parametrize(("text", "position", "expected", "hint"), REFUSALS)
def test_refusals(text: str, position: int, expected: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert error.position == position
    assert expected in error.expected
    assert hint in error.hint
    lines = str(error).splitlines()
    assert lines[0] == "cannot read the expression"
    if position < len(text) and text[position].isprintable():
        assert lines[1][lines[2].index("^")] == text[position]
    assert lines[3] == (f"{error.expected}; {error.hint}" if error.hint else error.expected)


def test_the_message_as_the_user_sees_it() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("1 - 3r")
    assert str(caught.value) == (
        "cannot read the expression\n    1 - 3r\n         ^\nexpected an operator or the end; write 3*r"
    )


def test_a_long_text_is_shown_in_a_window() -> None:
    text = "1 + " * 100 + "2 r" + " + 1" * 100
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    _, line, caret, _ = str(caught.value).splitlines()
    assert len(line) < 100
    assert line.strip().startswith("...")
    assert line.strip().endswith("...")
    assert line[caret.index("^")] == "r"


def test_an_unknown_name_lists_all_known_ones() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("foo(r)")
    assert all(name in caught.value.expected for name in ("r", "d", "pi", *FUNCTIONS))


def test_exponents_that_depend_on_the_dimension_are_checked_for_each() -> None:
    expression = parse("2^(60/(d - 1))")
    assert expression.rational(fmpq(0), 3) == 2**30
    for dim in (1, 8, 62):
        with pytest.raises(ExpressionError, match="the exponent must be an integer"):
            expression.program(dim)


@pytest.mark.parametrize(
    ("text", "x", "position", "reason"),
    [
        ("1 + 1/r", fmpq(0), 5, "division by 0"),
        ("r^(-2)", fmpq(0), 1, "0 to a negative power"),
        ("sqrt(r - 1)", fmpq(1, 2), 0, "the square root of a negative number"),
        ("2*log(r)", fmpq(0), 2, "the logarithm of a number that is not positive"),
        ("sin(1)*(1/r)", fmpq(0), 9, "division by 0"),
    ],
)
def test_undefined_points(text: str, x: fmpq, position: int, reason: str) -> None:
    expression = parse(text)
    with pytest.raises(ExpressionDomainError) as caught:
        expression.rational(x, 3)
    assert caught.value.position == position
    assert caught.value.reason == reason
    assert str(caught.value).endswith(reason)
    assert not expression.ball(arb(x), 3).is_finite()
    assert not expression.enclose(x, x + fmpq(1, 4), 3)[0].is_finite()


# ------------------------------------------------------------------------------------------------------------------
# Square roots at the edge of their domain, kinks, and what stays undecided


@pytest.mark.parametrize(
    ("text", "low", "high", "top"),
    [
        ("sqrt(1 - r^2)", fmpq(3, 4), fmpq(1), 0.69),
        ("sqrt(1 - r)", fmpq(2, 3), fmpq(1), 0.5774),
        ("sqrt(r)", fmpq(0), fmpq(1, 3), 0.5774),
        ("sqrt(r^2)", fmpq(0), fmpq(1, 3), 0.3334),
        ("sqrt((r - 1/2)^2)", fmpq(1, 4), fmpq(3, 4), 0.2501),
        ("sqrt(abs(r - 1/2))", fmpq(1, 4), fmpq(3, 4), 0.5001),
        ("sqrt(max(0, 1/4 - r^2))", fmpq(1, 4), fmpq(3, 4), 0.6),
        ("sqrt(r^3 + r*tanh(r))", fmpq(0), fmpq(1, 4), 0.29),
        ("sqrt(min(r, r^3)/exp(r))", fmpq(0), fmpq(1, 4), 0.51),
        ("sqrt(sqrt(r))", fmpq(0), fmpq(1, 16), 0.501),
    ],
)
def test_square_roots_that_touch_zero_have_finite_values(text: str, low: fmpq, high: fmpq, top: float) -> None:
    value, slope = parse(text).enclose(low, high, 3)
    assert value.is_finite()
    assert value >= -1e-8
    assert value <= top
    assert not slope.is_finite()
    assert parse(f"0*r + {text}").enclose(low, high, 3)[0].is_finite()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("sqrt(1 - r^2 - 10^(-30))", fmpq(3, 4), fmpq(1)),
        ("sqrt(r - 10^(-40))", fmpq(0), fmpq(1)),
        ("sqrt(sin(pi))", fmpq(0), fmpq(1)),
        ("sqrt(-r)", fmpq(0), fmpq(1)),
        ("sqrt(r^3 - r)", fmpq(0), fmpq(1)),
        ("log(r)", fmpq(0), fmpq(1)),
        ("1/(r - 1/2)", fmpq(0), fmpq(1)),
        ("r^(-1)", fmpq(0), fmpq(1)),
        ("max(2, 1/r)", fmpq(0), fmpq(1)),
    ],
)
def test_undefined_or_undecided_boxes_are_not_finite(text: str, low: fmpq, high: fmpq) -> None:
    value, slope = parse(text).enclose(low, high, 3)
    assert not value.is_finite()
    assert not slope.is_finite()


def test_slopes_at_kinks() -> None:
    def slope(text: str) -> arb:
        return parse(text).enclose(fmpq(1, 4), fmpq(3, 4), 3)[1]

    assert slope("abs(r)") == 1
    assert slope("abs(r - 1)") == -1
    assert slope("abs(r - 1/2)").contains(-1)
    assert slope("abs(r - 1/2)").contains(1)
    assert slope("abs(r - 1/2)") <= 1.01
    assert slope("min(r, 2)") == slope("min(2, r)") == slope("max(r, -r)") == slope("max(-1, r)") == 1
    assert slope("max(r, 1/2)").contains(0)
    assert slope("min(r, sqrt(2))") == 1
    assert not slope("max(sqrt(abs(r - 1/2)), r)").is_finite()
    assert slope("max(sqrt(abs(r - 1/2)) - 2, r)") == 1
    assert slope("sqrt(0)*r + sqrt(0)") == 0


def test_even_powers_are_not_negative() -> None:
    assert parse("(r - 1/2)^2").ball(arb(0.5, 0.5), 3) >= -1e-8
    assert parse("r^0").enclose(fmpq(0), fmpq(1), 3)[0] == 1


def test_balls_that_are_not_finite_give_no_enclosure() -> None:
    value, slope = parse("1").ball_with_derivative(arb.nan(), 3)
    assert not value.is_finite()
    assert not slope.is_finite()
    assert not parse("r").ball(arb.pos_inf(), 3).is_finite()


def test_precision_narrows_the_ball() -> None:
    expression = parse("exp(r)/3")
    with precision(64):
        wide = expression.ball(arb(0.5), 3)
    with precision(256):
        narrow = expression.ball(arb(0.5), 3)
    assert wide.rad() > 2**100 * narrow.rad()
    assert wide.contains(narrow)
