"""What a probabilistic network says of itself, and that it is never taken for a deterministic one."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from depthsep.certificates import CertifiedNetwork
from depthsep.certificates.probabilistic import (
    CapIntegrals,
    ProbabilisticNetwork,
    certify_random,
    probabilistic_from_document,
)
from depthsep.constructions.random_frames import build_random
from depthsep.errors import DocumentExists, NotProved
from depthsep.functions import Radial
from depthsep.networks.frames import RandomFrames
from depthsep_check import check


@pytest.fixture(scope="module")
def cone() -> ProbabilisticNetwork:
    return build_random("1 - r", dim=4, eps="0.25", failure_probability="2^-12", seed=99)


def test_the_sentence_is_about_the_law(cone: ProbabilisticNetwork) -> None:
    assert cone.sentence == (
        "with probability at least 1 - 2^-12 over the draw of the frames (Haar), the network is within 1/4 of 1 - r on "
        "the unit ball of dimension 4; nothing is proved about this one draw (seed 99), and a pseudo-random generator "
        "is a further assumption"
    )
    assert not isinstance(cone, CertifiedNetwork)
    assert cone.claim == "probabilistic"


def test_summary(cone: ProbabilisticNetwork) -> None:
    summary = cone.summary()
    assert json.loads(json.dumps(summary)) == summary
    expected = {
        "function": "1 - r",
        "dim": 4,
        "depth": 2,
        "activation": "relu",
        "widths": [4 * cone.network.frames + 1],
        "sup_error_upper": "1/4",
        "eps": "1/4",
        "claim": "probabilistic",
        "failure_probability": "2^-12",
        "law": "haar-frames",
        "seed": 99,
        "generator": "pcg64-signed-qr",
        "sentence": cone.sentence,
        "digest": cone.digest,
        "verdict": "VERIFIED",
    }
    assert {key: summary[key] for key in expected} == expected
    assert {"max_weight", "path_norm", "nonzeros", "rounding_error_upper", "ideal_distance_upper"} < set(summary)


def test_parts(cone: ProbabilisticNetwork) -> None:
    assert (cone.dim, cone.depth, cone.seed, cone.law) == (4, 2, 99, "haar-frames")
    assert cone.failure_probability == Fraction(1, 4096)
    assert cone.sup_error_upper == cone.eps == Fraction(1, 4)
    assert cone.proof["claim"]["kind"] == "random-frames"
    assert cone.proof["verdict"] == cone.verdict.line
    points = np.zeros((1, 4))
    assert cone(points) == cone.evaluate(points).values == pytest.approx(0.75)


def test_saved_and_read_again(cone: ProbabilisticNetwork, tmp_path: Path) -> None:
    path = cone.save(tmp_path / "cone.json")
    with pytest.raises(DocumentExists):
        cone.save(path)
    text = path.read_text(encoding="utf-8")
    assert check(path).ok
    again = probabilistic_from_document(text, json.loads(text), check(text))
    assert again == cone
    assert np.array_equal(again([[0.1, 0.2, 0.3, 0.4]]), cone([[0.1, 0.2, 0.3, 0.4]]))


def test_what_the_checker_does_not_accept_is_not_certified(cone: ProbabilisticNetwork) -> None:
    witness = CapIntegrals(
        Fraction(1, 2), Fraction(1), Fraction(1), (Fraction(0), Fraction(1)), (Fraction(0), Fraction(1, 9))
    )
    network = RandomFrames(4, 2, Fraction(1, 4), Fraction(1), 0)
    with pytest.raises(NotProved) as caught:
        certify_random(Radial("1 - r", 4), network, 12, witness)
    assert str(caught.value) == (
        "a width of 9 in dimension 4\n"
        "  found:  REFUTED random-frames: the failure probability is not certainly at most 2^-12"
    )
