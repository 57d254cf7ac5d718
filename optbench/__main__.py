"""``python -m optbench``: the command line."""

from optbench.cli import main

main()
