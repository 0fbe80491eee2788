"""`python -m tcgtracker` is the command line."""

from tcgtracker.cli import main

main()
