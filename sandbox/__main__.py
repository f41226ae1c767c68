"""`python -m sandbox` is `teachbox`."""

from sandbox.cli import main

main()
