from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import depthsep
import depthsep_check
from depthsep.errors import MissingExtra
from depthsep.exports import onnx, safetensors
from depthsep.lower_bounds import rank_bound

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
SOURCES = sorted(path for package in ("depthsep", "depthsep_check") for path in (SRC / package).rglob("*.py"))
HEAVY = ("numpy", "scipy", "matplotlib", "flint", "jinja2", "onnx", "safetensors", "torch", "sklearn", "rich")


def modules() -> list[str]:
    names = []
    for package in (depthsep, depthsep_check):
        names += [package.__name__]
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if not name.endswith(".__main__")]


def name_of(path: Path) -> str:
    return str(path.relative_to(SRC))


def run_python(code: str, *arguments: str, path: Path = SRC) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_all_files_are_found_as_modules() -> None:
    files = {path.relative_to(SRC).with_suffix("") for path in SOURCES}
    expected = {".".join(path.parts).removesuffix(".__init__") for path in files if path.name != "__main__"}
    assert set(modules()) == expected


@pytest.mark.parametrize("name", modules())
def test_every_public_name_resolves(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except MissingExtra as missing:
        pytest.skip(f"{missing.package} is not installed")
    for public in getattr(module, "__all__", ()):
        assert getattr(module, public) is not None


def test_no_submodule_hides_a_public_name() -> None:
    for name in modules():
        with suppress(MissingExtra):
            importlib.import_module(name)  # which binds the module in its package
    assert [name for name in depthsep.__all__ if not callable(getattr(depthsep, name))] == ["__version__"]


def test_the_lazy_names_are_listed_and_resolve() -> None:
    listed = dir(depthsep)
    assert set(depthsep.__all__) < set(listed)
    for name in ("errors", "exports", "lower_bounds", "networks"):
        assert name in listed
        assert getattr(depthsep, name).__name__ == f"depthsep.{name}"
    with pytest.raises(AttributeError, match="module 'depthsep' has no attribute 'nonsense'"):
        depthsep.nonsense  # noqa: B018


@pytest.mark.parametrize("name", ["depthsep", "depthsep.cli", "depthsep_check"])
def test_importing_is_light(name: str) -> None:
    allowed = {"flint"} if name == "depthsep_check" else set()
    code = f"import sys, {name}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == allowed


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == depthsep.__version__
    assert re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)[1] == (
        depthsep.__version__
    )
    assert depthsep.__version__ in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_installed_version_agrees() -> None:
    try:
        installed = version("depthsep")
    except PackageNotFoundError:
        installed = depthsep.__version__  # run from the source tree
    assert installed == depthsep.__version__


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_assert_decides_anything(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] == []


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(SRC / "depthsep_check")], ids=name_of)
def test_the_checker_imports_flint_and_the_standard_library(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert roots <= {*sys.stdlib_module_names, "flint", "depthsep_check"}


ALONE = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"depthsep", "numpy", "scipy", "matplotlib", "onnx", "safetensors", "torch"}:
            raise ImportError(f"{name} is walled off")

sys.meta_path.insert(0, Wall())
before = {name.partition(".")[0] for name in sys.modules}
from depthsep_check.__main__ import main
code = main(sys.argv[1:])
loaded = {name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)
print(*sorted(name for name in loaded if "cython" not in name), file=sys.stderr)  # flint's own run-time parts
sys.exit(code)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of every kind, model files, and the checker copied away from depthsep."""
    home = tmp_path_factory.mktemp("alone")
    shutil.copytree(SRC / "depthsep_check", home / "lib" / "depthsep_check")
    for depth in (2, 3):
        net = depthsep.build("1 - r", dim=3, eps="0.3", depth=depth)
        net.save(home / f"{depth}.json")
        onnx.write(net, home / f"{depth}.onnx")
        safetensors.write(net, home / f"{depth}.safetensors")
    depthsep.build("ball(1/2, 0.1)", dim=3, depth=3).save(home / "ball.json")
    comparison = [([[257, -256], [256, -256]], [0, 0]), ([[1, -1]], [0])]
    depthsep.balance(comparison).save(home / "balanced.json")
    depthsep.shrink(comparison, grid_bits=2).save(home / "grid.json")
    depthsep.circuit(comparison, grid_bits=2, threshold="1/2").save(home / "circuit.json")
    bound = rank_bound(net.function, 3, net.eps)
    (home / "bound.json").write_text(bound.document, encoding="utf-8")
    return home


def test_the_checker_runs_alone(folder: Path) -> None:
    files = [str(folder / f"{name}.json") for name in ("2", "3", "ball", "bound", "balanced", "grid", "circuit")]
    done = run_python(ALONE, *files, path=folder / "lib")
    assert done.returncode == 0, done.stderr
    assert [line.partition(": ")[2].split()[0] for line in done.stdout.splitlines()] == ["VERIFIED"] * len(files)
    assert done.stderr.split() == ["depthsep_check", "flint"]


@pytest.mark.parametrize("model", ["2.onnx", "2.safetensors", "3.onnx", "3.safetensors"])
def test_the_checker_compares_models_alone(folder: Path, model: str) -> None:
    document = folder / f"{model[0]}.json"
    done = run_python(ALONE, str(document), "--against", str(folder / model), path=folder / "lib")
    assert done.returncode == 0, done.stderr
    assert f"VERIFIED {model} is the network of the document" in done.stdout
    assert done.stderr.split() == ["depthsep_check", "flint"]
