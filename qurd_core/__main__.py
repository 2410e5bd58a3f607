"""`python -m qurd_core`."""

from qurd_core.cli import main

if __name__ == "__main__":
    main()
