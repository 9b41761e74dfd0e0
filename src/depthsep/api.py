"""The front door: from a formula, a dimension and an accuracy to proved networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from depthsep.accuracy import Accuracy, parse_accuracy
from depthsep.bounding import all_bounds, parse_weight_bound
from depthsep.certificates.document import CertifiedNetwork
from depthsep.certificates.probabilistic import ProbabilisticNetwork
from depthsep.errors import BadInput, OutOfReach
from depthsep.functions import BallIndicator, Function, InnerProduct, Radial, parse_function
from depthsep.lower_bounds import LowerBound, NoBound, cells_bound
from depthsep.progress import Progress, silent

__all__ = ["Separation", "build", "build_random", "separate"]

WeightBound = str | int | Fraction | None

_DEEPEST = 64
_WRITTEN_OUT = 10**9


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
        weights: The bound of the weights that the deep network, the shallow one and the bounds obey; None for none.
    """

    function: Function
    dim: int
    eps: Fraction | None
    shallow: CertifiedNetwork | None
    shallow_failure: OutOfReach | None
    deep: CertifiedNetwork
    bounds: tuple[LowerBound, ...]
    no_bounds: tuple[NoBound, ...]
    weights: Fraction | None = None

    @property
    def necessary(self) -> LowerBound | None:
        """On pairs of unit vectors: the bound on the width at depth 2 that is compared with the deep network."""
        if not isinstance(self.function, InnerProduct):
            return None
        about_width = [bound for bound in self.bounds if bound.depth == 2 and bound.width_lower > 1]
        return max(about_width, key=lambda bound: bound.width_lower, default=None)

    @property
    def log_width_ratio(self) -> float | None:
        """log2 of the width that depth 2 needs over log2 of the neurons that depth 3 takes; rounded down."""
        bound, deep = self.necessary, sum(self.deep.widths)
        if bound is None or deep < 2:
            return None
        return math.floor(100 * bound.log2_width_lower / math.log2(deep)) / 100

    @property
    def sentence(self) -> str:
        """What depth bought, in a sentence."""
        if isinstance(self.function, InnerProduct):
            return self._sentence_of_bounds()
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

    def _sentence_of_bounds(self) -> str:
        """What depth 2 certainly needs beside what depth 3 takes."""
        deep, bound = sum(self.deep.widths), self.necessary
        under = "Depth" if self.weights is None else f"With weights up to {self.weights} on both sides, depth"
        takes = f"{under} 3 reaches accuracy {self.eps} with {deep:,} neurons"
        if bound is None:
            return f"{takes}; no bound on the width is known here for depth 2."
        power = math.floor(100 * bound.log2_width_lower) / 100
        needs = f"{bound.width_lower:,}" if bound.width_lower < _WRITTEN_OUT else f"2^{power:g}"
        words = f"{takes}, and every depth-2 ReLU network needs at least {needs}"
        if bound.width_lower <= deep:
            return f"{words}: that separates nothing."
        ratio = self.log_width_ratio
        return f"{words}: the logarithms of the widths are as {ratio:g} to 1." if ratio else f"{words}."


def build(
    function: str | Function,
    *,
    dim: int,
    eps: Accuracy | None = None,
    depth: int = 2,
    activation: str = "relu",
    domain: str = "ball",
    weights: WeightBound = None,
    max_width: int | None = None,
    progress: Progress = silent,
) -> CertifiedNetwork:
    """Build a network within eps of a function on the unit ball or on pairs of points, with a proof that was replayed.

    Args:
        function: A formula in r = ||x||, such as "exp(-r^2)", or "ball(r0, margin)"; on pairs one in t = <x, x'>.
        dim: The dimension of x.
        eps: The accuracy in the sup norm, exact: "0.1", "1/30", a Fraction. Left out only for a ball, which is met
            exactly outside its margin.
        depth: From 2 (one hidden layer) to 64; on pairs at least 3.
        activation: Of the hidden layer, such as "gelu", or one that `register_activation` brought; at depth 3 "relu",
            "softplus", "sigmoid" or "tanh".
        domain: "ball", "spheres" (pairs of unit vectors) or "balls" (pairs of points of the unit ball).
        weights: A bound of all weights and biases, such as "2^d", for depths from 3 on.
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
    target = parse_function(function, dim, domain) if isinstance(function, str) else function
    if not 2 <= depth <= _DEEPEST:
        raise BadInput(f"depth = {depth}", needed=f"from 2 (one hidden layer) to {_DEEPEST}")
    if max_width is not None and max_width < 0:
        raise BadInput(f"max_width = {max_width}", needed="a number of neurons that is not negative")
    smooth = depth == 3 and activation in ("softplus", "sigmoid", "tanh")
    if activation != "relu" and ((depth != 2 and not smooth) or not isinstance(target, Radial)):
        asked = f"a depth-{depth} network for {target.text} with the activation {activation!r}"
        needed = "relu, or a radial function at depth 2, or one at depth 3 with softplus, sigmoid or tanh"
        raise BadInput(asked, needed=needed, do="ask for depth 2, or leave it out")
    bound = parse_weight_bound(weights, dim)
    _refuse_depth(target, depth, bound)
    target.validate()
    if isinstance(target, BallIndicator):
        certified = _ball(target, eps, depth, progress)
    elif eps is None:
        raise BadInput("a network without an accuracy", needed="eps: only ball(r0, margin) is met exactly")
    elif isinstance(target, InnerProduct) or depth > 3 or bound is not None:
        certified = _folded(target, parse_accuracy(eps), depth, bound, progress)
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


def _refuse_depth(target: Function, depth: int, bound: Fraction | None) -> None:
    """Refuse what no construction is known for here."""
    asked = f"a depth-{depth} network for {target.text}" + ("" if bound is None else f" with weights at most {bound}")
    if isinstance(target, InnerProduct) and depth == 2:
        raise BadInput(
            asked,
            needed="depth 3 or more: no depth-2 construction for functions of an inner product is known here",
            do="ask for depth 3; lower_bound (`depthsep bound`) says what depth 2 needs",
        )
    if isinstance(target, BallIndicator) and (depth > 3 or bound is not None):
        raise BadInput(asked, needed="depth 3 and weights as they come: ball indicators have that construction only")
    if depth == 2 and bound is not None:
        raise BadInput(asked, needed="depth 3 or more", do="leave the bound out, or ask for depth 3")


def _folded(
    target: Radial | InnerProduct, eps: Fraction, depth: int, bound: Fraction | None, progress: Progress
) -> CertifiedNetwork:
    from depthsep.constructions import folding, inner_products

    if depth == 3 and isinstance(target, InnerProduct):
        return inner_products.search(target, eps, bound, progress)
    return folding.search(target, eps, depth, bound, progress)


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
    from depthsep.constructions import deep_smooth, shallow_radial
    from depthsep.constructions.activation_radial import build_with_activation

    if depth == 3 and activation != "relu":
        return deep_smooth.search(target, eps, activation, progress)
    if depth == 3:
        return _deep_radial(target, eps, progress)
    limit = shallow_radial.DEFAULT_MAX_WIDTH if max_width is None else max_width
    if activation != "relu":
        return build_with_activation(target, eps, activation, limit, progress)
    from depthsep.planning import build_by_plan

    return build_by_plan(target, eps, limit, progress)


def _deep_radial(target: Radial, eps: Fraction, progress: Progress) -> CertifiedNetwork:
    """Depth 3; a sinusoid of more periods than that search resolves is folded, which does not mind how many."""
    from depthsep.constructions import deep_radial, folding
    from depthsep.constructions.phase_target import PhaseTarget

    try:
        return deep_radial.search(target, eps, progress)
    except OutOfReach:
        if PhaseTarget.of(target, eps) is None:
            raise
    return folding.search(target, eps, 3, progress=progress)


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
    domain: str = "ball",
    weights: WeightBound = None,
    max_width: int | None = None,
    progress: Progress = silent,
) -> Separation:
    """Build a depth-2 and a depth-3 network for one function, and say what any network needs.

    On pairs of unit vectors there is no depth-2 network: what every one needs stands against the depth-3 network. A
    network within eps in the sup norm is so in L2, so that bounds in L2 count there; all obey one bound of the weights.

    Args:
        function: As in `build`.
        dim: The dimension.
        eps: As in `build`.
        domain: "ball" or "spheres".
        weights: A bound of all weights, such as "2^d", for the networks and for the bounds that know one.
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
    target = parse_function(function, dim, domain) if isinstance(function, str) else function
    if target.domain == "ball-pairs":
        raise BadInput(f"separate {target.text} on pairs of the ball", needed='the domain "ball" or "spheres"')
    bound = parse_weight_bound(weights, dim)
    deep = build(target, dim=dim, eps=eps, depth=3, weights=bound, progress=progress)
    shallow, failure = None, None
    try:
        shallow = _shallow(target, eps, bound, max_width, progress)
    except OutOfReach as error:
        failure = error
    progress("lower bounds", None)
    exact = parse_accuracy(eps) if eps is not None and not isinstance(target, BallIndicator) else None
    found = _bounds(target, dim, exact or Fraction(1, 4), deep, bound)
    bounds = tuple(bound for bound in found if isinstance(bound, LowerBound))
    no_bounds = tuple(bound for bound in found if isinstance(bound, NoBound))
    return Separation(target, dim, exact, shallow, failure, deep, bounds, no_bounds, bound)


def _shallow(
    target: Function, eps: Accuracy | None, bound: Fraction | None, max_width: int | None, progress: Progress
) -> CertifiedNetwork:
    """The depth-2 network, or the refusal where none is known or its weights are too large."""
    if isinstance(target, InnerProduct):
        asked = f"a depth-2 network for {target.text} on pairs"
        raise OutOfReach(asked, found="no construction is known here, only what every such network needs")
    try:
        shallow = build(target, dim=target.dim, eps=eps, max_width=max_width, progress=progress)
    except BadInput as error:
        if isinstance(target, Radial):
            raise
        raise OutOfReach(error.asked, error.found, error.needed, error.do) from None
    if bound is None or Fraction(shallow.max_weight) <= bound:
        return shallow
    raise OutOfReach(
        f"a depth-2 network for {shallow.function.text} with weights at most {bound}",
        found=f"the one that is built has a weight of about {shallow.max_weight:.4g}",
        do="allow larger weights",
    )


def _bounds(
    target: Function, dim: int, eps: Fraction, deep: CertifiedNetwork, weights: Fraction | None
) -> list[LowerBound | NoBound]:
    """Every theorem about the domain, and on the ball the cells bound for the second layer that was built."""
    if isinstance(target, InnerProduct):
        return all_bounds(target.text, dim=dim, eps=eps, domain="spheres", weights=weights)
    found = all_bounds(target.text, dim=dim, eps=eps, weights=weights)
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
