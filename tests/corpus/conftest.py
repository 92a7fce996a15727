"""Without the corpus one test says so, and the others are not collected (`test_presence.py`)."""

from tests.corpus.manifests import files

collect_ignore = (
    [] if files() else ["test_additions.py", "test_fix.py", "test_objects.py", "test_parity.py", "test_rates.py"]
)
