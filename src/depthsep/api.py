"""The front door: from a formula, a dimension and an accuracy to proved networks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.bounding import all_bounds
from depthsep.certificates.document import CertifiedNetwork
from depthsep.certificates.probabilistic import ProbabilisticNetwork
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import BallIndicator, Function, InnerProduct, Radial, parse_function
from depthsep.lower_bounds import LowerBound, NoBound, cells_bound
from depthsep.progress import Progress, silent

__all__ = ["Separation", "build", "build_random", "separate"]

# From which accuracy, over |beta| for a cone alpha + beta r, a proof on the Weyl chamber is tried: beyond, one that
# does not close would cost minutes.
_CHAMBER_EPS = {**dict.fromkeys(range(4, 9), Fraction(0)), 9: Fraction(1, 10)}


@dataclass(frozen=True)
class Separation:
    """A shallow and a deep network for one function, and what any network needs.

    Args:
        function: The function.
        dim: The dimension.
        eps: The accuracy; None for a ball indicator, which is exact off its margin.
        shallow: The depth-2 network, or None where there is none.
        shallow_failure: Why there is none.
        deep: The depth-3 network.
        bounds: Lower bounds on widths, each with its class of networks.
        no_bounds: The bounds that do not apply, and why.
    """

    function: Function
    dim: int
    eps: Fraction | None
    shallow: CertifiedNetwork | None
    shallow_failure: OutOfReach | None
    deep: CertifiedNetwork
    bounds: tuple[LowerBound, ...]
    no_bounds: tuple[NoBound, ...]

    @property
    def sentence(self) -> str:
        """What depth bought, in a sentence."""
        deep = sum(self.deep.widths)
        if self.shallow is None:
            found = self.shallow_failure.found if self.shallow_failure is not None else ""
            because = f" ({found})" if found else ""
            return f"Depth 3 does it with {deep:,} neurons; no depth-2 network was found{because}."
        shallow = sum(self.shallow.widths)
        if shallow == deep == 0:
            return "Neither depth needs a neuron: a constant is within the accuracy."
        accuracy = "the same accuracy" if self.eps is None else f"accuracy {self.eps}"
        if shallow > deep:
            return (
                f"Depth 3 reaches {accuracy} with {deep:,} neurons where the best depth-2 network found takes "
                f"{shallow:,}: {shallow / deep:.3g} times as many. This compares two constructions; the lower bounds "
                "say what is necessary."
            )
        return (
            f"Depth buys nothing here: depth 2 reaches {accuracy} with {shallow:,} neurons, and depth 3 takes {deep:,}."
        )


def build(
    function: str | Function,
    *,
    dim: int,
    eps: Accuracy | None = None,
    depth: int = 2,
    activation: str = "relu",
    max_width: int | None = None,
    progress: Progress = silent,
) -> CertifiedNetwork:
    """Build a network within eps of a radial function on the unit ball, with a proof that was replayed.

    Args:
        function: A formula in r = ||x||, such as "exp(-r^2)", or "ball(r0, margin)".
        dim: The dimension of x.
        eps: The accuracy in the sup norm, exact: "0.1", "1/30", a Fraction. Left out only for a ball, which is met
            exactly outside its margin.
        depth: 2 (one hidden layer) or 3.
        activation: Of the hidden layer, such as "gelu"; at depth 3 "relu", "softplus", "sigmoid" or "tanh".
        max_width: The most neurons allowed; 10,000,000 if not given.
        progress: Called with a text and a fraction (or None) as the work goes on.

    Returns:
        The network with its proof.

    Raises:
        BadInput: The request makes no sense; the message says where.
        OutOfReach: No network of that width was found; the message says what was reached.

    Example:
        >>> net = build("1 - r", dim=2, eps="0.1")
        >>> net.widths, net.sup_error_upper <= Fraction(1, 10), net.verdict.ok
        ((3,), True, True)
        >>> net([[0.6, 0.8]]).shape
        (1,)
        >>> build("1/r", dim=2, eps="0.1")
        Traceback (most recent call last):
        depthsep.errors.BadInput: the profile "1/r" on [0, 1]
        ...
    """
    target = parse_function(function, dim) if isinstance(function, str) else function
    if depth not in (2, 3):
        raise BadInput(f"depth = {depth}", needed="2 (one hidden layer) or 3 (two)")
    if max_width is not None and max_width < 0:
        raise BadInput(f"max_width = {max_width}", needed="a number of neurons that is not negative")
    smooth = depth == 3 and activation in ("softplus", "sigmoid", "tanh")
    if activation != "relu" and ((depth != 2 and not smooth) or isinstance(target, BallIndicator)):
        asked = f"a depth-{depth} network for {target.text} with the activation {activation!r}"
        needed = "relu, or a radial function at depth 2, or one at depth 3 with softplus, sigmoid or tanh"
        raise BadInput(asked, needed=needed, do="ask for depth 2, or leave it out")
    target.validate()
    if isinstance(target, BallIndicator):
        certified = _ball(target, eps, depth, progress)
    elif isinstance(target, InnerProduct):
        raise BadInput(f"a network for {target.text}", needed="a radial function")
    elif eps is None:
        raise BadInput("a network without an accuracy", needed="eps: only ball(r0, margin) is met exactly")
    else:
        certified = _radial(target, parse_accuracy(eps), depth, activation, max_width, progress)
    if max_width is not None and sum(certified.widths) > max_width:
        raise OutOfReach(
            f"a depth-{depth} network for {target.text} of at most {max_width:,} neurons",
            found=f"the smallest one found has {sum(certified.widths):,}",
            do=f"allow that many (--max-width {sum(certified.widths)})",
            reached={"widths": list(certified.widths)},
        )
    return certified


def _ball(target: BallIndicator, eps: Accuracy | None, depth: int, progress: Progress) -> CertifiedNetwork:
    from depthsep.constructions import deep_ball

    if eps is not None:
        parse_accuracy(eps)  # nonsense is refused although a ball needs no accuracy
    if depth == 2:
        raise BadInput(
            f"a depth-2 network for {target.text}",
            needed="a continuous profile: no depth-2 construction for ball indicators is known to this library",
            do="ask for depth 3, which is exact off the margin, or for a ramp such as min(1, max(0, 10*(0.55 - r)))",
        )
    return deep_ball.search(target, progress)


def _radial(
    target: Radial, eps: Fraction, depth: int, activation: str, max_width: int | None, progress: Progress
) -> CertifiedNetwork:
    from depthsep.constructions import deep_radial, deep_smooth, shallow_radial
    from depthsep.constructions.activation_radial import build_with_activation

    if depth == 3 and activation != "relu":
        return deep_smooth.search(target, eps, activation, progress)
    if depth == 3:
        return deep_radial.search(target, eps, progress)
    limit = shallow_radial.DEFAULT_MAX_WIDTH if max_width is None else max_width
    if activation != "relu":
        return build_with_activation(target, eps, activation, limit, progress)
    return _narrowest(target, eps, limit, progress)


def _narrowest(target: Radial, eps: Fraction, limit: int, progress: Progress) -> CertifiedNetwork:
    """The narrowest ReLU network of depth 2 by any construction that speaks about the function."""
    from depthsep.constructions import polynomial_radial, reflection_groups, shallow_radial

    def search() -> CertifiedNetwork:
        return shallow_radial.search(target, eps, max_width=limit, progress=progress)

    ways = [search]
    if polynomial_radial.polynomial_in_squares(target.expression, target.dim) is not None:
        ways.append(lambda: polynomial_radial.build_polynomial(target, eps, limit, progress))
    if target.cone is not None and _CHAMBER_EPS.get(target.dim, 1) <= eps / abs(target.cone[1]) < Fraction(1, 2):
        ways.append(lambda: reflection_groups.reflection_cone(target, eps, progress))
    found, failures = [], []
    for way in ways:
        try:
            found.append(way())
        except OutOfReach as failure:
            failures.append(failure)
    if not found:
        raise failures[0]
    return min(found, key=lambda certified: certified.widths[0])


def build_random(
    function: str | Function,
    *,
    dim: int,
    eps: Accuracy,
    failure_probability: str | Fraction = "2^-80",
    seed: int = 0,
    max_width: int | None = None,
    progress: Progress = silent,
) -> ProbabilisticNetwork:
    """Build a depth-2 ReLU network with random directions, and prove how rarely such a network misses the accuracy.

    For cones alpha + beta r the directions come in random orthonormal frames, for other profiles they are independent.
    The statement is about the law of the draw; nothing is proved about the one draw that `seed` names.

    Args:
        function: A formula in r.
        dim: The dimension of x.
        eps: The accuracy in the sup norm.
        failure_probability: An upper bound of the probability of missing it, such as "2^-80".
        seed: Names the draw that is evaluated and exported.
        max_width: The most neurons allowed.
        progress: As in `build`.

    Raises:
        BadInput: The request makes no sense; the message says where.
        OutOfReach: More neurons than `max_width` would be needed.
    """
    from depthsep.constructions import random_directions, random_frames

    target = parse_function(function, dim) if isinstance(function, str) else function
    if not isinstance(target, Radial):
        raise BadInput(f"a random network for {target.text}", needed="a radial function: a formula in r")
    way = random_frames.build_random if target.cone is not None else random_directions.build_random_directions
    return way(target, dim, eps, failure_probability, seed, progress, max_width)


def separate(
    function: str | Function,
    *,
    dim: int,
    eps: Accuracy | None = None,
    max_width: int | None = None,
    progress: Progress = silent,
) -> Separation:
    """Build a depth-2 and a depth-3 network for one function, and say what any network needs.

    Args:
        function: As in `build`.
        dim: The dimension.
        eps: As in `build`.
        max_width: The most neurons allowed for the depth-2 network.
        progress: As in `build`.

    Returns:
        Both networks (the shallow one is missing where it is out of reach) and the lower bounds that apply.

    Example:
        >>> both = separate("1 - r", dim=3, eps="0.3")
        >>> both.shallow.verdict.ok and both.deep.verdict.ok
        True
        >>> [bound.width_lower for bound in both.bounds if bound.theorem == "rank"]
        [3]
    """
    target = parse_function(function, dim) if isinstance(function, str) else function
    deep = build(target, dim=dim, eps=eps, depth=3, progress=progress)
    shallow, failure = None, None
    try:
        shallow = build(target, dim=dim, eps=eps, depth=2, max_width=max_width, progress=progress)
    except OutOfReach as error:
        failure = error
    except BadInput as error:
        if not isinstance(target, BallIndicator):
            raise
        failure = OutOfReach(error.asked, error.found, error.needed, error.do)
    progress("lower bounds", None)
    exact = parse_accuracy(eps) if eps is not None and not isinstance(target, BallIndicator) else None
    found = _bounds(target, dim, exact or Fraction(1, 4), deep)
    bounds = tuple(bound for bound in found if isinstance(bound, LowerBound))
    no_bounds = tuple(bound for bound in found if isinstance(bound, NoBound))
    return Separation(target, dim, exact, shallow, failure, deep, bounds, no_bounds)


def _bounds(target: Function, dim: int, eps: Fraction, deep: CertifiedNetwork) -> list[LowerBound | NoBound]:
    """Every theorem about the sup norm on the unit ball, and the cells bound for the second layer that was built."""
    found = all_bounds(target.text, dim=dim, eps=eps)
    second = deep.widths[1]
    if 1 < second < dim:
        found.append(cells_bound(target, dim, eps, 3, second_layer_width=second))
    if isinstance(target, Radial):
        found.append(NoBound("an exponential width", _POLYNOMIAL))
    return [bound for bound in found if isinstance(bound, NoBound) or bound.says_something]


_POLYNOMIAL = (
    "none exists for a Lipschitz profile at a fixed accuracy: depth 2 then needs only a polynomial in d "
    "(Safran, Eldan & Shamir 2019, Theorem 1)"
)
