"""`python -m pipeline.cli`: the same as `countermand`."""

from pipeline.cli import main

main()
