"""All benchmarks: `python -m benchmarks [write|check|spread] [--long] [--last]`."""

import argparse
import sys

from benchmarks import goals, page
from benchmarks.run import kept, last, measure
from tests.e2e.binaries import CONTROL_PLANE, MissingError, binaries


def main() -> int:
    """0 when done, 1 where a goal is missed, 2 and one line where this machine lacks something."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    actions = {
        "write": "measure, and write docs/performance.md (the default)",
        "check": "measure, and say which goals are missed",
        "spread": "say how far the runs that are kept lie apart",
    }
    told = "; ".join(f"{name}: {text}" for name, text in actions.items())
    parser.add_argument("action", nargs="?", choices=actions, default="write", help=told)
    parser.add_argument("--long", action="store_true", help="more rounds, and 200,000 requests for the memory")
    parser.add_argument("--last", action="store_true", help="take the last run that is kept, and measure nothing")
    arguments = parser.parse_args()
    if arguments.action == "spread":
        print(goals.spread(list(kept())))
        return 0
    try:
        # What has to be built is built outside of any measurement.
        binaries(names=CONTROL_PLANE)
        run = last() if arguments.last else measure(arguments.long)
    except MissingError as error:
        print(error, file=sys.stderr)
        return 2
    print(goals.markdown(run))
    if arguments.action == "write":
        try:
            page.write(run)
        except AssertionError as error:
            print(f"{error}:\n{page.sizing(run)}", file=sys.stderr)
            return 2
        return 0
    return 1 if goals.missed(run) else 0


if __name__ == "__main__":
    sys.exit(main())
