"""A plan of quick tasks of every kind, and what is done with them in one process."""

import pytest

from depthsep.atlas import Plan, Store, plan_of, run

QUICK = """
title = "quick"
seconds = 20

[[grid]]
functions = ["1 - r"]
dims = [1, 2]
eps = ["0.3", "0.2"]
depths = [2, 3]

[[grid]]
kind = "bound"
functions = ["1 - r"]
dims = "2:4"
eps = ["0.3"]

[[grid]]
kind = "network"
functions = ["1 - r"]
dims = [3]
eps = ["0.1"]
max_width = 2
"""


@pytest.fixture(scope="session")
def quick() -> Plan:
    return plan_of(QUICK)


@pytest.fixture(scope="session")
def undisturbed(quick, tmp_path_factory):
    """The table that a run without interruptions gives."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run(quick, folder)
    with Store(folder) as store:
        return store.table()
