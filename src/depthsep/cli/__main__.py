"""``python -m depthsep.cli``: the command line without its installed script."""

from depthsep.cli.app import main

main()
