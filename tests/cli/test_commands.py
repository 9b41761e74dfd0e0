from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import depthsep as ds
from depthsep.cli.app import run
from depthsep_check import check


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def cone_text() -> str:
    return ds.build("1 - r", dim=3, eps="0.3", depth=3).document_text


@pytest.fixture
def cone(empty_folder: Path, cone_text: str) -> Path:
    path = empty_folder / "cone.json"
    path.write_text(cone_text)
    return path


# --- build ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [2, 3])
def test_build_prints_one_table_and_writes_a_document_that_checks(
    capsys: pytest.CaptureFixture[str], depth: int
) -> None:
    assert run(["build", "1 - r", "--dim", "5", "--eps", "0.3", "--depth", str(depth), "--out", "n.json"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("1 - r on the unit ball of dimension 5, within 0.3\n")
    assert "VERIFIED" in captured.out
    assert captured.out.endswith("document: n.json\n")
    assert check(Path("n.json")).ok
    assert ds.load("n.json").depth == depth


def test_build_without_out_says_that_nothing_is_saved(capsys: pytest.CaptureFixture[str], empty_folder: Path) -> None:
    assert run(["build", "1 - r", "--dim", "2", "--eps", "0.3", "--depth", "3"]) == 0
    assert "not saved; --out FILE writes the document" in capsys.readouterr().out
    assert list(empty_folder.iterdir()) == []


def test_build_json_has_the_fields_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "1 - r", "--dim", "3", "--eps", "0.3", "--depth", "2", "--json", "--out", "n.json"]) == 0
    found = json.loads(capsys.readouterr().out)
    fields = {"depth", "activation", "widths", "sup_error_upper", "eps", "max_weight", "path_norm", "nonzeros", "claim",
              "document", "verdict"}  # fmt: skip
    assert fields <= set(found)
    certified = ds.load("n.json")
    assert (found["depth"], found["widths"], found["document"]) == (2, list(certified.widths), "n.json")
    assert found["sup_error_upper"] == str(certified.sup_error_upper)


def test_build_json_without_out_holds_the_document_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "1 - r", "--dim", "2", "--eps", "0.3", "--depth", "3", "--json"]) == 0
    assert check(json.loads(capsys.readouterr().out)["document"]).ok


def test_build_refuses_an_existing_file_before_the_work(
    cone: Path, cone_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["build", "1 - r", "--dim", "2", "--eps", "0.3", "--depth", "3", "--out", str(cone)]
    assert run(command) == 2
    captured = capsys.readouterr()
    assert "that file already exists" in captured.err
    assert cone.read_text() == cone_text
    assert run([*command, "--force"]) == 0
    assert ds.load(cone).dim == 2


@pytest.mark.parametrize(
    ("expression", "options", "text"),
    [
        ("3r", [], "^"),
        ("1/r", [], "no value at r = 0"),
        ("1 - r", ["--eps", "0"], "eps"),
        ("1 - r", ["--eps", "nan"], "eps"),
        ("1 - r", ["--dim", "0"], "dim"),
    ],
)
def test_build_refuses_what_makes_no_sense(
    expression: str, options: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build", expression, "--dim", "3", "--eps", "0.3", "--depth", "2", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert text in captured.err
    assert "Traceback" not in captured.err


def test_build_beyond_the_width_budget_says_what_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", "1 - r", "--dim", "5", "--eps", "0.1", "--depth", "2", "--max-width", "20", "--json"]
    assert run(command) == 3
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "OutOfReach"


# --- check ---------------------------------------------------------------------------------------------------------


def test_check_prints_a_verdict_a_line_and_returns_the_largest_code(
    cone: Path, cone_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.json").write_text(cone_text[:-20])
    assert run(["check", "cone.json", "broken.json"]) == 2
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("cone.json: VERIFIED ")
    assert second.startswith("broken.json: MALFORMED ")
    assert run(["check", "cone.json"]) == 0


def test_check_json(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.json").write_text("[1]")
    assert run(["check", "cone.json", "other.json", "--json"]) == 2
    good, bad = json.loads(capsys.readouterr().out)
    assert good["file"] == "cone.json"
    assert good["verdict"].startswith("VERIFIED ")
    assert good["claim"]["error"] == str(ds.load(cone).sup_error_upper)
    assert bad["claim"] is None


@pytest.mark.parametrize("form", ["onnx", "safetensors"])
def test_check_against_a_model(cone: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    model = f"cone.{form}"
    assert run(["export", "cone.json", "--to", form, "--out", model, "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["path"] == model
    assert written["parameters"] == ds.load(cone).network.parameters
    assert run(["check", "cone.json", "--against", model]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["cone.json:", f"{model}:"]
    ds.build("1 - r", dim=3, eps="0.25", depth=3).save("finer.json")
    assert run(["check", "finer.json", "--against", model]) == 1
    assert f"{model}: REFUTED" in capsys.readouterr().out


def test_check_against_needs_one_document(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "cone.json", "cone.json", "--against", "cone.json"]) == 2
    assert "--against compares one document with one model" in capsys.readouterr().err


# --- export --------------------------------------------------------------------------------------------------------


def test_export_says_what_rounding_may_do(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "cone.json", "--to", "onnx", "--out", "cone.onnx"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("cone.onnx: ")
    assert "in float64, summed in any order" in out
    assert run(["export", "cone.json", "--to", "onnx", "--out", "cone.onnx"]) == 2
    assert "already exists" in capsys.readouterr().err


def test_export_refuses_what_the_checker_refuses(
    empty_folder: Path, cone_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.json").write_text("{}")
    assert run(["export", "bad.json", "--to", "onnx", "--out", "bad.onnx"]) == 2
    assert "MALFORMED" in capsys.readouterr().err
    assert not Path("bad.onnx").exists()


# --- evaluate ------------------------------------------------------------------------------------------------------

POINTS = np.array([[0.0, 0.0, 0.0], [0.25, -0.5, 0.125]])


def expected(cone: Path, points: np.ndarray) -> list[float]:
    return list(ds.load(cone).evaluate(points).values.tolist())


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_evaluate_prints_a_value_a_line(cone: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    if form == "npy":
        np.save("x.npy", POINTS)
    else:
        np.savetxt("x.csv", POINTS, delimiter=",")
    assert run(["evaluate", "cone.json", "--points", f"x.{form}"]) == 0
    captured = capsys.readouterr()
    assert [float(line) for line in captured.out.splitlines()] == expected(cone, POINTS)
    assert "rounding error at most" in captured.err
    assert "warning" not in captured.err


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_evaluate_writes_values(cone: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", POINTS)
    out = f"y.{form}"
    assert run(["evaluate", "cone.json", "--points", "x.npy", "--out", out]) == 0
    assert capsys.readouterr().out == ""
    values = np.load(out) if form == "npy" else np.loadtxt(out, ndmin=1)
    assert values.tolist() == expected(cone, POINTS)
    assert sorted(path.name for path in Path().iterdir()) == sorted(["cone.json", "x.npy", out])
    assert run(["evaluate", "cone.json", "--points", "x.npy", "--out", out]) == 2
    assert "already exists" in capsys.readouterr().err


def test_evaluate_names_points_outside_the_ball(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", np.vstack([POINTS, [[1.0, 1.0, 0.0]]]))
    assert run(["evaluate", "cone.json", "--points", "x.npy", "--json"]) == 0
    captured = capsys.readouterr()
    assert "nothing is proved outside the unit ball; that concerns 1 of the points: row 2" in captured.err
    found = json.loads(captured.out)
    assert found["outside_ball"] == [2]
    assert len(found["values"]) == 3
    assert found["sup_error_upper"] == str(ds.load(cone).sup_error_upper)


def test_evaluate_takes_one_point_as_a_vector(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", POINTS[1])
    assert run(["evaluate", "cone.json", "--points", "x.npy"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("x.csv", "", "no numbers"),
        ("x.csv", "a,b,c\n1,2,3\n", "could not convert"),
        ("x.csv", "1,2\n", "(n, 3)"),
        ("x.csv", "1,2,nan\n", "nan in row 0, column 2"),
        ("x.csv", "1,2,3\n1,2\n", "x.csv"),
        ("x.npy", "not an array", "x.npy"),
        ("x.npy", np.array([[1, 2, None]], dtype=object), "allow_pickle=False"),
        ("x.npy", np.array([["a", "b", "c"]]), "real numbers"),
        ("x.npy", np.zeros((2, 3, 1)), "(n, 3)"),
    ],
)
def test_evaluate_refuses_other_points(
    cone: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | np.ndarray, text: str
) -> None:
    if isinstance(content, str):
        Path(name).write_text(content)
    else:
        np.save(name, content, allow_pickle=True)
    assert run(["evaluate", "cone.json", "--points", name]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert text in captured.err
    assert "Traceback" not in captured.err


def test_evaluate_refuses_other_kinds_of_output(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", POINTS)
    assert run(["evaluate", "cone.json", "--points", "x.npy", "--out", "y.txt"]) == 2
    assert "a name that ends in .npy or .csv" in capsys.readouterr().err


# --- explain, cite -------------------------------------------------------------------------------------------------


def test_explain_ticks_every_hypothesis(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "abs(r - 1/2)", "--dim", "5", "--eps", "0.1"]) == 0
    out = capsys.readouterr().out
    assert "Moment sandwich (depth 2): applies" in out
    assert "  [yes] the accuracy is positive: eps = 1/10" in out
    assert "  [NO ] the function is a ball indicator with a positive margin" in out
    assert "  predicted width, at least (proved): 5" in out


def test_explain_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "1 - r", "--dim", "5", "--eps", "0.1", "--json"]) == 0
    theorems = json.loads(capsys.readouterr().out)["theorems"]
    assert {"name", "applies", "hypotheses", "predicted_widths"} <= set(theorems[0])


def test_cite_all_and_cite_one(cone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cite"]) == 0
    assert capsys.readouterr().out.count("@") == 8
    assert run(["cite", "cone.json", "--json"]) == 0
    keys = [source["key"] for source in json.loads(capsys.readouterr().out)["sources"]]
    assert keys == ["eldan2016power", "daniely2017depth", "johansson2017arb"]
    layers = [{"weights": [[9]], "biases": [-4]}, {"weights": [[1]], "biases": [0]}]
    Path("steep.json").write_text(json.dumps({"kind": "relu-network", "dim": 1, "layers": layers}))
    assert run(["shrink", "steep.json", "--grid-bits", "2", "--out", "small.json"]) == 0
    capsys.readouterr()
    assert run(["cite", "small.json", "--json"]) == 0
    keys = [source["key"] for source in json.loads(capsys.readouterr().out)["sources"]]
    assert keys == ["vardi2020neural", "johansson2017arb"]
    Path("other.json").write_text("[]")
    assert run(["cite", "other.json"]) == 2
    assert "it is not a depthsep document" in capsys.readouterr().err


# --- separate, demo ------------------------------------------------------------------------------------------------


def test_separate_prints_both_tables_and_writes_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["separate", "1 - r", "--dim", "3", "--eps", "0.3"]) == 0
    captured = capsys.readouterr()
    folder = Path("depthsep-runs/1-r-d3-eps0.3")
    assert captured.out.startswith("1 - r on the unit ball of dimension 3, within 0.3\n")
    assert "What every network needs" in captured.out
    assert "Traceback" not in captured.err
    assert captured.out.endswith(f"folder: {folder}\nreport: {folder / 'report.html'}\n")
    assert (folder / "report.html").exists()
    assert run(["separate", "1 - r", "--dim", "3", "--eps", "0.3"]) == 0
    assert Path(f"{folder}-2").is_dir()


def test_separate_json_has_the_fields_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["separate", "1 - r", "--dim", "2", "--eps", "0.3", "--out", "here", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [network["depth"] for network in found["networks"]] == [2, 3]
    assert found["report"] == "here/report.html"
    for place in [*found["networks"], *found["bounds"]]:
        assert check(Path("here") / place["document"]).ok
    fields = {"theorem", "width_lower", "log2_width_lower", "norm", "measure", "domain", "activation_class",
              "weight_class", "hypotheses", "document", "verdict"}  # fmt: skip
    assert all(fields <= set(bound) for bound in found["bounds"])
    assert found["bounds"]


def test_separate_refuses_a_full_folder_before_the_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("here").mkdir()
    Path("here/notes.txt").write_text("mine")
    monkeypatch.setattr(ds, "separate", None)
    for flags in ([], ["--force"]):
        assert run(["separate", "1 - r", "--dim", "2", "--eps", "0.3", "--out", "here", *flags]) == 2
    assert Path("here/notes.txt").read_text() == "mine"


def test_an_interrupted_separation_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, empty_folder: Path
) -> None:
    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ds, "separate", interrupt)
    assert run(["separate", "1 - r", "--dim", "2", "--eps", "0.3"]) == 130
    assert list(empty_folder.iterdir()) == []


def test_demo_is_the_main_job(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    separate = ds.separate

    def small(expression: str, **options: object) -> ds.Separation:
        asked.update(options, expression=expression)
        return separate("1 - r", dim=2, eps="0.3")

    monkeypatch.setattr(ds, "separate", small)
    assert run(["demo"]) == 0
    assert (asked["expression"], asked["dim"], asked["eps"]) == ("1 - r", 10, "0.1")
    assert "report: depthsep-runs/1-r-d10-eps0.1/report.html" in capsys.readouterr().out
