"""`python -m tests.corpus.baseline` writes the hardening rates that later runs are compared with."""

import json
import sys
from pathlib import Path

from tests.corpus.manifests import FOLDER, files
from tests.corpus.rates import Rates, measure, table_of

FILE = Path(__file__).with_name("baseline.json")


def read() -> Rates:
    """The committed baseline; one that hardened nothing where there is none yet."""
    if not FILE.exists():
        return {"pods": 0, "controls": {}}
    rates: Rates = json.loads(FILE.read_text(encoding="utf-8"))
    return rates


def main() -> int:
    """Write the file anew and say what that changes."""
    if not files():
        sys.stderr.write(f"no manifests below {FOLDER}: set HARDENER_CORPUS to the folder that holds them\n")
        return 2
    before, rates = read(), measure()
    FILE.write_text(json.dumps(rates, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join([table_of(rates, before), f"written: {FILE}", ""]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
