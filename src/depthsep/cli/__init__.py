"""The command line: thin doors. A command parses, calls one public function, and prints."""

from depthsep.cli.app import main, run

__all__ = ["main", "run"]
