"""Sphinx builds these pages: pip install -e '.[docs]' && sphinx-build docs docs/_build."""

from importlib.metadata import version as installed_version

project = "depthsep"
author = "depthsep contributors"
copyright = "2026, depthsep contributors"
release = version = installed_version("depthsep")
extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "alabaster"
