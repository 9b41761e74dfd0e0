"""The exception tree: exit codes, four-part texts, and that every error survives a trip through pickle."""

import pickle

import pytest

from depthsep.errors import BadInput, DepthsepError, DocumentExists, MissingExtra, NotProved, OutOfReach

EVERY = [
    (NotProved("prove it", "no", "yes", "try"), 1),
    (BadInput("eps = 0", found="0", needed="a positive number"), 2),
    (DocumentExists("net.json"), 2),
    (OutOfReach("width 10", found="20", reached={"width": 20}), 3),
    (MissingExtra("export to ONNX", "onnx", "export"), 4),
]


@pytest.mark.parametrize(("error", "code"), EVERY)
def test_exit_codes(error: DepthsepError, code: int) -> None:
    assert isinstance(error, DepthsepError)
    assert error.exit_code == code


@pytest.mark.parametrize(("error", "code"), EVERY)
def test_errors_survive_pickling(error: DepthsepError, code: int) -> None:
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert twin.exit_code == code


def test_reached_and_packages_survive_pickling() -> None:
    assert pickle.loads(pickle.dumps(EVERY[3][0])).reached == {"width": 20}
    assert pickle.loads(pickle.dumps(EVERY[4][0])).extra == "export"


def test_text_has_its_parts_in_order() -> None:
    text = str(NotProved("what", "this", "that", "so"))
    assert text == "what\n  found:  this\n  needed: that\n  do:     so"


def test_empty_parts_are_left_out() -> None:
    assert str(BadInput("what", do="so")) == "what\n  do:     so"
    assert str(BadInput("what")) == "what"


def test_carets_keep_their_column() -> None:
    lines = str(BadInput("parse", found="3r\n ^")).splitlines()
    assert lines[1].index("r") == lines[2].index("^")


def test_builtin_bases() -> None:
    assert isinstance(EVERY[1][0], ValueError)
    assert isinstance(EVERY[2][0], BadInput)
    assert isinstance(EVERY[4][0], ImportError)


def test_document_exists_text() -> None:
    assert str(EVERY[2][0]) == (
        "write net.json\n"
        "  found:  that file already exists\n"
        "  needed: a name that is free: nothing is overwritten unasked\n"
        "  do:     choose another name, or pass force=True (--force)"
    )


def test_missing_extra_names_the_command() -> None:
    assert str(EVERY[4][0]) == (
        "export to ONNX\n"
        "  found:  the package 'onnx' is not installed\n"
        "  needed: the extra 'export' of depthsep\n"
        "  do:     pip install 'depthsep[export]'"
    )
