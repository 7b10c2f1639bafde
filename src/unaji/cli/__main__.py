"""`python -m unaji.cli` is `unaji`."""

from unaji.cli import main

main()
