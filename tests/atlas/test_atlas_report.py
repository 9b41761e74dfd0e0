"""Tables, pictures and the page of an atlas; the page is opened in a browser where one is installed."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from depthsep.atlas import Store, Task
from depthsep.atlas.work import Outcome, perform
from depthsep.errors import BadInput, DocumentExists
from depthsep.reports import figures
from depthsep.reports.atlas_figures import draw_depth_width, draw_exponents, draw_phase
from depthsep.reports.atlas_page import write_page
from depthsep.reports.atlas_tables import (
    Setting,
    csv_text,
    curves,
    curves_rows,
    fits,
    fits_rows,
    phase,
    phase_rows,
    setting_of,
    settings,
)
from depthsep_check import check

DIMS, FINENESSES = (2, 4, 8, 16), (2, 4, 8)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom")  # fmt: skip


def facts(task: Task) -> dict[str, object]:
    """Shallow d^2/eps neurons, out of reach at d = 16; deep 8 d of them, half at depth 4; bound d^2/2."""
    if task.kind == "bound":
        size = task.dim**2 // 2
        return {"status": "done", "width_lower": str(size), "log2_width": math.log2(size), "theorem": "<tubes>"}
    if task.depth == 2 and task.dim == 16:
        return {"status": "out of reach", "reason": 'more than "1,000" neurons'}
    fineness = int(task.eps.split("/")[1])
    neurons = task.dim**2 * fineness if task.depth == 2 else 8 * task.dim // (task.depth - 2)
    return {"status": "done", "neurons": neurons, "sup_error_upper": task.eps, "verdict": "VERIFIED", "reason": ""}


def tasks_of(function: str) -> list[Task]:
    kinds = (("network", 2), ("network", 3), ("network", 4), ("bound", 2))
    return [Task(k, function, d, f"1/{n}", depth) for k, depth in kinds for d in DIMS for n in FINENESSES]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two functions with rows that follow a law, and one network that is really built."""
    folder = tmp_path_factory.mktemp("law")
    tasks = [*tasks_of("1 - r"), *tasks_of("a<b>r")[:2]]
    with Store(folder, writable=True) as made:
        made.plan("<laws>", "seconds = 1", tasks)
        for task in tasks:
            made.add(task, Outcome(task.digest, facts(task)))
        real = Task("network", "r", 1, "1/5", seconds=20)
        made.plan("<laws>", "seconds = 1", [real])
        made.add(real, perform(real))
    return Store(folder)


def test_the_plane_holds_the_narrowest_and_the_largest(store):
    found = phase(store, Setting("1 - r"))
    assert (found.dims, found.accuracies) == (DIMS, ("1/2", "1/4", "1/8"))
    shallow, deep, bound = (found.sides[side] for side in ("shallow", "deep", "bound"))
    assert shallow.log2[1, :3].tolist() == [4, 6, 8]
    assert shallow.status[:, 3].tolist() == ["out of reach"] * 3
    assert np.isnan(shallow.log2[:, 3]).all()
    assert deep.log2[0].tolist() == [3, 4, 5, 6]
    assert (deep.depth == 4).all()
    assert bound.log2[0].tolist() == [1, 3, 5, 7]
    assert found.ratio[0, :3].tolist() == [0, 1, 2]
    assert found.separated.tolist() == [[False, False, False, True]] * 3


def test_a_place_that_nobody_asked_about_is_called_so(store):
    found = phase(store, Setting("a<b>r"))
    assert set(found.sides["deep"].status.flat) == {"not asked"}
    lines = csv_text(phase_rows(found)).splitlines()
    assert lines[1] == "2,1/2,3,done,,not asked,,,not asked,,0"


def test_exponents_are_those_of_the_law(store):
    found = {(fit.against, fit.side, fit.fixed): fit for fit in fits(phase(store, Setting("1 - r")))}
    assert found["d", "shallow", "1/4"].exponent_estimate == pytest.approx(2)
    assert found["d", "deep", "1/2"].exponent_estimate == pytest.approx(1)
    assert found["1/eps", "shallow", "4"].exponent_estimate == pytest.approx(1)
    assert found["1/eps", "shallow", "4"].constant_estimate == pytest.approx(4)
    assert ("1/eps", "shallow", "16") not in found
    assert csv_text(fits_rows(list(found.values()))).splitlines()[1] == "d,shallow,1/2,1,3,3,2,1"


def test_curves_have_two_depths_at_least(store):
    found = curves(store, Setting("1 - r"))
    assert len(found) == len(DIMS) * len(FINENESSES)
    last = found[-1]
    assert (last.dim, last.eps, last.depths, last.bound) == (16, "1/8", (2, 3, 4), 7)
    assert (last.log2, last.statuses) == ((None, 7, 6), ("out of reach", "done", "done"))
    assert csv_text(curves_rows(found[-1:])).splitlines()[1:] == [
        "16,1/8,2,,out of reach,7", "16,1/8,3,7,done,7", "16,1/8,4,6,done,7"]  # fmt: skip
    assert curves(store, Setting("a<b>r")) == []


def test_bounds_for_bounded_weights_stay_apart(tmp_path):
    with Store(tmp_path, writable=True) as store:
        for weights, size in ((None, 3.0), ("2^d", 9.0)):
            task = Task("bound", "sin(t)", 3, "1/3", domain="spheres", weights=weights)
            store.plan("", "", [task])
            store.add(task, Outcome(task.digest, {"status": "done", "width_lower": "8", "log2_width": size}))
        chosen = setting_of(store, Setting("sin(t)", "spheres"))
        assert chosen.weights is None
        assert phase(store, chosen).sides["bound"].log2.tolist() == [[3]]
        bounded = Setting("sin(t)", "spheres", weights="2^d")
        assert phase(store, bounded).sides["bound"].log2.tolist() == [[9]]
        assert bounded.text == "sin(t), relu, spheres, weights at most 2^d"


def test_what_there_is_to_choose_from(store):
    assert [setting.function for setting in settings(store)] == ["1 - r", "a<b>r", "r"]
    with pytest.raises(BadInput, match="3 to choose from"):
        setting_of(store, None)
    with pytest.raises(BadInput, match="no such rows"):
        setting_of(store, Setting("1 - r", activation="gelu"))


def test_pictures_name_what_is_missing(store):
    plane = phase(store, Setting("1 - r"))
    texts = {
        "phase": figures.to_svg(draw_phase(plane), "a", "phase"),
        "exponents": figures.to_svg(draw_exponents(fits(plane), "1 - r"), "b", "exponents"),
        "depths": figures.to_svg(draw_depth_width(curves(store, Setting("1 - r")), "1 - r"), "c", "depths"),
    }
    assert ">out of reach<" in texts["phase"]
    assert ">proved: the bound at depth 2 is above the deep network<" in texts["phase"]
    assert "estimates by least squares; nothing is proved about exponents" in texts["exponents"]
    assert "shallow: about d^2<" in texts["exponents"]
    assert ">no network: out of reach<" in texts["depths"]


def test_a_fine_grid_is_one_image_with_a_dotted_area(tmp_path):
    with Store(tmp_path, writable=True) as store:
        for (kind, depth), dim, fineness in product((("network", 3), ("bound", 2)), range(1, 41), range(2, 42)):
            task = Task(kind, "r", dim, f"1/{fineness}", depth)  # type: ignore[arg-type]
            size = 3.0 if task.kind == "network" else task.dim / 4
            store._connection.execute(
                "INSERT INTO rows (digest, kind, function, dim, eps, depth, activation, domain, status, neurons, "
                "log2_width) VALUES (?, ?, ?, ?, ?, ?, 'relu', 'ball', 'done', 8, ?)",
                (task.digest, task.kind, task.function, task.dim, task.eps, task.depth, size),
            )
        text = figures.to_svg(draw_phase(phase(store, Setting("r"))), "a", "phase")
    assert text.count("<image") >= 2
    assert "<pattern" in text


def test_nothing_to_draw_is_said(store):
    setting = Setting("a<b>r")
    assert ">no fits<" in figures.to_svg(draw_exponents(fits(phase(store, setting)), ""), "a", "")
    assert ">no place with networks of two depths<" in figures.to_svg(draw_depth_width([], ""), "a", "")


@pytest.fixture(scope="module")
def page(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "atlas.html"
    written = write_page(store, path)
    assert (written.rows, written.documents) == (51, 1)
    return path


def test_the_page_loads_nothing_and_escapes_what_it_shows(page):
    text = page.read_text()
    assert not re.search(r"https?://|<link|<script src|@import", text)
    assert "<h1>&lt;laws&gt;</h1>" in text
    assert "&lt;tubes&gt;" in text
    assert "a<b>r" not in text
    assert "more than &#34;1,000&#34; neurons" in text
    assert "depthsep build &#34;r&#34; --dim 1 --eps 1/5 --depth 2" in text


def test_links_lead_to_files_and_documents_are_proofs(page):
    links = set(re.findall(r'<a href="([^"]*)"', page.read_text()))
    assert any(link.startswith("tables/phase-") for link in links)
    for link in links:
        assert (page.parent / link).is_file(), link
    (document,) = (page.parent / "documents").iterdir()
    assert check(document.read_text()).ok
    assert json.loads(document.read_text())["digest"] == document.stem


def test_a_page_is_not_overwritten_unasked_and_says_what_it_leaves_out(store, page, tmp_path):
    with pytest.raises(DocumentExists):
        write_page(store, page)
    write_page(store, tmp_path / "short.html", most_rows=3)
    assert "The first 3 of 51 rows." in (tmp_path / "short.html").read_text()


# Clicks on headings, types into the filter, and writes what is then seen into attributes that the test can read.
CLICKS = """<script>
const seen = column => [...document.querySelectorAll("#rows tbody tr")].filter(row => !row.hidden)
  .map(row => row.cells[column].textContent.trim());
const out = {}, heads = [...document.querySelectorAll("#rows th")], column = name => heads.findIndex(
  head => head.textContent.trim() === name);
const click = name => heads[column(name)].querySelector("button").click();
for (const name of ["d", "eps", "neurons", "status"]) {
  click(name); out[name + " up"] = seen(column(name));
  click(name); out[name + " down"] = seen(column(name));
}
out.sort = heads.map(head => head.getAttribute("aria-sort"));
const filter = document.getElementById("filter");
filter.value = "OUT OF REACH"; filter.dispatchEvent(new Event("input"));
out.filtered = seen(column("status"));
document.documentElement.dataset.seen = JSON.stringify(out);
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page was not opened in a browser")
def test_the_page_in_a_browser(page, tmp_path):
    opened = page.with_name("opened.html")
    opened.write_text(page.read_text().replace("</body>", CLICKS + "</body>"))
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", opened.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    root = re.search(r"<html[^>]*>", done.stdout)[0]
    assert "data-error" not in root
    seen = json.loads(re.search(r'data-seen="([^"]*)"', root)[1].replace("&quot;", '"'))
    dims = [int(text) for text in seen["d up"]]
    assert dims == sorted(dims)
    assert [int(text) for text in seen["d down"]] == sorted(dims, reverse=True)
    assert seen["eps up"][0] == "1/8"
    assert seen["eps down"][0] == "1/2"
    widths = [int(text.replace(",", "").removeprefix("≥ ")) for text in seen["neurons up"] if text]
    assert widths == sorted(widths)
    assert seen["neurons up"][-3:] == seen["neurons down"][-3:] == ["", "", ""]
    assert seen["status up"][0] == "done"
    assert seen["status down"][0] == "out of reach"
    assert [state for state in seen["sort"] if state] == ["descending"]
    assert seen["filtered"] == ["out of reach"] * 3
