"""``depthsep cite``: BibTeX of the sources behind the library, or behind one document."""

from __future__ import annotations

import json
from pathlib import Path

import click

from depthsep.cli.terminal import example, json_option, print_json
from depthsep.errors import BadInput

__all__ = ["COMMANDS"]

SOURCES = {
    "safran2019depth": """@inproceedings{safran2019depth,
  author    = {Safran, Itay and Eldan, Ronen and Shamir, Ohad},
  title     = {Depth Separations in Neural Networks: What is Actually Being Separated?},
  booktitle = {Proceedings of the Thirty-Second Conference on Learning Theory},
  series    = {Proceedings of Machine Learning Research},
  volume    = {99},
  pages     = {2664--2666},
  year      = {2019},
  note      = {arXiv:1904.06984}
}""",
    "eldan2016power": """@inproceedings{eldan2016power,
  author    = {Eldan, Ronen and Shamir, Ohad},
  title     = {The Power of Depth for Feedforward Neural Networks},
  booktitle = {Proceedings of the Twenty-Ninth Conference on Learning Theory},
  series    = {Proceedings of Machine Learning Research},
  volume    = {49},
  pages     = {907--940},
  year      = {2016},
  note      = {arXiv:1512.03965}
}""",
    "daniely2017depth": """@inproceedings{daniely2017depth,
  author    = {Daniely, Amit},
  title     = {Depth Separation for Neural Networks},
  booktitle = {Proceedings of the Thirtieth Conference on Learning Theory},
  series    = {Proceedings of Machine Learning Research},
  volume    = {65},
  pages     = {690--696},
  year      = {2017},
  note      = {arXiv:1702.08489}
}""",
    "safran2017depth": """@inproceedings{safran2017depth,
  author    = {Safran, Itay and Shamir, Ohad},
  title     = {Depth-Width Tradeoffs in Approximating Natural Functions with Neural Networks},
  booktitle = {Proceedings of the Thirty-Fourth International Conference on Machine Learning},
  series    = {Proceedings of Machine Learning Research},
  volume    = {70},
  pages     = {2979--2987},
  year      = {2017},
  note      = {arXiv:1610.09887}
}""",
    "vardi2020neural": """@inproceedings{vardi2020neural,
  author    = {Vardi, Gal and Shamir, Ohad},
  title     = {Neural Networks with Small Weights and Depth-Separation Barriers},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {33},
  year      = {2020},
  note      = {arXiv:2006.00625}
}""",
    "safran2022optimization": """@inproceedings{safran2022optimization,
  author    = {Safran, Itay and Lee, Jason D.},
  title     = {Optimization-Based Separations for Neural Networks},
  booktitle = {Proceedings of the Thirty-Fifth Conference on Learning Theory},
  series    = {Proceedings of Machine Learning Research},
  volume    = {178},
  year      = {2022},
  note      = {arXiv:2112.02393}
}""",
    "bose1960class": """@article{bose1960class,
  author  = {Bose, Raj Chandra and Ray-Chaudhuri, Dwijendra Kumar},
  title   = {On a Class of Error Correcting Binary Group Codes},
  journal = {Information and Control},
  volume  = {3},
  number  = {1},
  pages   = {68--79},
  year    = {1960}
}""",
    "johansson2017arb": """@article{johansson2017arb,
  author  = {Johansson, Fredrik},
  title   = {Arb: Efficient Arbitrary-Precision Midpoint-Radius Interval Arithmetic},
  journal = {IEEE Transactions on Computers},
  volume  = {66},
  number  = {8},
  pages   = {1281--1292},
  year    = {2017}
}""",
}

CHECKER = "johansson2017arb"
BEHIND = {
    "ridge-groups": ("safran2019depth",),
    "activation-groups": ("safran2019depth",),
    "univariate": ("safran2019depth",),
    "separable": ("eldan2016power", "daniely2017depth"),
    "ball-indicator": ("safran2017depth",),
    "integer-layers": ("vardi2020neural",),
    "threshold-circuit": ("vardi2020neural",),
}


@click.command(
    epilog=example(
        "depthsep cite",
        'depthsep build "1 - r" --dim 3 --eps 0.3 --depth 3 --out cone.json',
        "depthsep cite cone.json",
    )
)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def cite(file: Path | None, as_json: bool) -> None:
    """Print the sources as BibTeX.

    All sources of the library, or only those behind one document.
    """
    keys = list(SOURCES) if file is None else _behind(file)
    if as_json:
        print_json({"sources": [{"key": key, "bibtex": SOURCES[key]} for key in keys]})
        return
    click.echo("\n\n".join(SOURCES[key] for key in keys))


COMMANDS = (cite,)


def _behind(file: Path) -> list[str]:
    """The sources of what a document contains; it is read for its kinds only, and not checked."""
    try:
        document = json.loads(file.read_bytes())
        kinds = {document["function"]["kind"], document.get("network", {}).get("kind")}
        groups = document.get("network", {}).get("groups", ())
        thinned = any(group["directions"]["kind"] == "code" for group in groups)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadInput(
            f"cite {file}", found="it is not a depthsep document", needed="a file that depthsep wrote"
        ) from None
    keys = (
        {key for kind in kinds for key in BEHIND.get(kind, ())} | {CHECKER} | ({"bose1960class"} if thinned else set())
    )
    return [key for key in SOURCES if key in keys]
