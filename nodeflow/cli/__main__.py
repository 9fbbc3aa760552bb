"""`python -m nodeflow.cli`: the command line where its script is not on the path."""

from nodeflow.cli import main

main()
