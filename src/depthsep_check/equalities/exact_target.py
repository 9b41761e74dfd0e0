"""Check that a network is one of the functions that are computed exactly, from its stored rational weights.

* Sawtooth of n folds, on [0, 1]: the distance of 2^n x to the nearest even integer; `compositions` has the proof.
* Cantor set of level n, on the whole line: the network is >= 0 at the points of the set and < 0 elsewhere; as above.
* Parity of d bits, on {0, 1}^d: 1 where the number of ones is odd, else 0. If every row of the first layer has equal
  entries, the network is a function of the number of ones, and one point with s ones for each s = 0, ..., d decides.
* Maximum of n inputs, on R^n; `maxima` has the proof.

**Pieces.** On a line hidden layers of w_1, ..., w_k ReLUs leave at most prod (w_i + 1) affine pieces: a layer of w
units breaks every piece at most w times. The sawtooth has 2^n of them. A function that is >= 0 exactly on a Cantor set
of level n changes 2^(n+1) times between the two sides, an affine piece at most once: at least 2^(n+1) pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from depthsep_check.compositions import require_cantor, require_sawtooth
from depthsep_check.document import MAX_DIM, NetworkDocument
from depthsep_check.fields import fields_of, integer, peek_kind, word
from depthsep_check.maxima import require_maximum
from depthsep_check.relu_networks import IntegerLayer, ReluNetwork, integer_form, read_relu_network
from depthsep_check.verdict import Budget, Malformed, Refuted

STEP = "numbers of ones"
_WORK = 20_000_000
_MAX_SIZE = 4096
_LONG = 512

# For each target the key of its size, and the words of the claim about it.
TARGETS = {
    "sawtooth": ("folds", "[0,1]", "equal"),
    "cantor": ("level", "R", "sign"),
    "parity": ("bits", "{0,1}^d", "equal"),
    "maximum": ("inputs", "R^d", "equal"),
}


@dataclass(frozen=True, slots=True)
class _Target:
    kind: str
    size: int

    @property
    def dim(self) -> int:
        """The number of inputs."""
        return self.size if self.kind in ("parity", "maximum") else 1


def check(document: NetworkDocument) -> str:
    """Replay the proof that the network is the target.

    Returns:
        The proved sentence.

    Raises:
        Refuted: the network is not, or is not recognised as, the target.
        Malformed: an object is not of the form that the format page gives.
        Unsupported: a word is not known here.
        Exhausted: a work limit was reached.
    """
    target = _target(document.function)
    _read_claim(document.claim, target)
    word(fields_of(document.witness, "witness", ("kind",))["kind"], "witness.kind", ("structure",))
    network = read_relu_network(document.network, "network")
    if network.dim != target.dim:
        raise Malformed("network.dim", f"{network.dim}, but the function has {target.dim} inputs")
    if network.outputs != 1:
        raise Malformed("network.layers", f"{network.outputs} outputs, needs one")
    if target.kind == "sawtooth":
        require_sawtooth(network, target.size)
    elif target.kind == "cantor":
        require_cantor(network, target.size)
    elif target.kind == "parity":
        _require_parity(network)
    else:
        require_maximum(network)
    return _statement(target, network)


def least_pieces(kind: str, size: int) -> int | None:
    """A lower bound for prod (w_i + 1) over the hidden layers of any ReLU network for a target; None: none is known.

    >>> least_pieces("sawtooth", 6), least_pieces("cantor", 4), least_pieces("maximum", 5)
    (64, 32, None)
    """
    if kind == "sawtooth":
        return 1 << size
    return 2 << size if kind == "cantor" else None


def _statement(target: _Target, network: ReluNetwork) -> str:
    size = target.size
    meaning = {
        "sawtooth": f"N(x) is the distance of 2^{size} x to the nearest even integer for all real x in [0,1]",
        "cantor": f"N(x) >= 0 exactly at the points of level {size} of the Cantor set, for all real x",
        "parity": f"N(x) = 1 where the number of ones is odd, 0 where it is even, for all x in {{0,1}}^{size}",
        "maximum": f"N(x) = max(x_1, ..., x_{size}) for all x in R^{size}",
    }[target.kind]
    widths = ", ".join(map(str, network.widths))
    text = f"{meaning} (exact arithmetic); depth {network.depth}, widths ({widths})"
    if least_pieces(target.kind, size) is None:
        return text
    power = size if target.kind == "sawtooth" else size + 1
    return f"{text}; for any ReLU network with this property the product of all (width + 1) is at least 2^{power}"


def _require_parity(network: ReluNetwork) -> None:
    """Insist on a function of the number of ones, and on its values."""
    for index, row in enumerate(network.layers[0].weights):
        if any(entry != row[0] for entry in row):
            raise Refuted(STEP, f"row {index} of layer 1 has different entries")
    full, denominator = integer_form(network, STEP)
    counted = IntegerLayer(tuple(row[:1] for row in full[0].rows), full[0].biases)  # reads the number of ones
    layers, budget = (counted, *full[1:]), Budget(_WORK)
    entries = [abs(w) for layer in layers for row in layer.rows for _, w in row]
    biases = [abs(bias) for layer in layers for bias in layer.biases]
    longest = max([*entries, *biases, 1]).bit_length()
    budget.spend(STEP, (network.dim + 1) * (len(entries) + len(biases)) * (1 + longest // _LONG))
    for ones in range(network.dim + 1):
        values = [ones]
        for place, layer in enumerate(layers):
            if place:
                values = [max(0, value) for value in values]
            rows = zip(layer.rows, layer.biases, strict=True)
            values = [bias + sum(w * values[i] for i, w in row) for row, bias in rows]
        if values[0] != (ones % 2) * denominator:
            raise Refuted(STEP, f"the value at points with {ones} ones is not {ones % 2}")


# ------------------------------------------------------------------------------------------------------------------
# The form of the parts


def _target(value: Any) -> _Target:
    kind = peek_kind(value, "function", TARGETS)
    key = TARGETS[kind][0]
    fields = fields_of(value, "function", ("kind", key))
    low = 0 if kind == "cantor" else 1
    return _Target(kind, integer(fields[key], f"function.{key}", low, _MAX_SIZE))


def _read_claim(value: Any, target: _Target) -> None:
    fields = fields_of(value, "claim", ("kind", "dim", "domain", "arithmetic", "relation"))
    _, domain, relation = TARGETS[target.kind]
    word(fields["domain"], "claim.domain", (domain,))
    word(fields["arithmetic"], "claim.arithmetic", ("real",))
    word(fields["relation"], "claim.relation", (relation,))
    dim = integer(fields["dim"], "claim.dim", 1, MAX_DIM)
    if dim != target.dim:
        raise Malformed("claim.dim", f"{dim}, but the function has {target.dim} inputs")
