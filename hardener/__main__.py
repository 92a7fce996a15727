"""`hardener`, `kubectl hardener` and `python -m hardener`."""

import sys

from hardener.cli import run


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:], sys.argv[0]))


if __name__ == "__main__":
    main()
