"""The sizes that were reached in trials, through the front door: never more neurons, and each proved.

The deep rows stand beside their constructions; `python -m benchmarks.targets` prints the whole table with seconds.
"""

from fractions import Fraction

import pytest

import depthsep as ds
from depthsep_check import check

# function, dim, eps, and the most neurons
SHALLOW = [
    ("1 - r", 2, "0.1", 4),
    ("1 - r", 2, "0.05", 6),
    ("1 - r", 2, "0.03", 8),
    ("1 - r", 3, "0.1", 16),
    ("1 - r", 3, "0.05", 24),
    ("1 - r", 10, "0.3", 20),
    ("1 - r", 10, "0.1", 1140),
    ("1 - r", 20, "0.1", 6080),
    ("1 - r", 100, "0.3", 400),
    ("1 - r", 100, "0.1", 210_000),
    ("exp(-r^2)", 100, "0.05", 1600),
    ("abs(r - 1/2)", 10, "0.1", 11_600),
    ("sin(3*r)/3", 20, "0.1", 11_000),
]
DEEP = [("1 - r", 10, "0.01", 172), ("exp(-r^2)", 100, "0.01", 1808), ("ball(1/2, 0.05)", 100, None, 610)]


def require(net: ds.CertifiedNetwork, dim: int, eps: str | None, most: int) -> None:
    assert dim <= sum(net.widths) <= most
    assert net.sup_error_upper <= Fraction(eps or 0)
    verdict = check(net.document_text)
    assert verdict.ok, verdict.line
    assert f"in dimension {dim} " in verdict.text
    assert f"widths ({', '.join(map(str, net.widths))});" in verdict.text


@pytest.mark.parametrize(("function", "dim", "eps", "most"), SHALLOW)
def test_shallow(function: str, dim: int, eps: str, most: int) -> None:
    net = ds.build(function, dim=dim, eps=eps)
    assert net.depth == 2
    require(net, dim, eps, most)


@pytest.mark.parametrize(("function", "dim", "eps", "most"), DEEP)
def test_deep(function: str, dim: int, eps: str | None, most: int) -> None:
    net = ds.build(function, dim=dim, eps=eps, depth=3)
    assert net.depth == 3
    require(net, dim, eps, most)
