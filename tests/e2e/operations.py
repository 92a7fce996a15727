"""docs/operations.md repeats what clusters say: whoever meets a message finds it there, as it was measured."""

import fcntl
import re

from tests.e2e.binaries import VERSION
from tests.e2e.cluster import Cluster
from tests.e2e.documents import Documents

PAGE = "docs/operations.md"

_PORT = re.compile(r"(127\.0\.0\.1|localhost):\d+")
_FOLDER = re.compile(r'"/[^"]*/([^"/]+\.(?:yaml|json))"')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def normalised(message: str) -> str:
    """The message without what differs from run to run: ports, temporary folders, times. A diff after it is left out."""
    message = message.partition("\n@@ ")[0]
    return _TIME.sub("TIME", _FOLDER.sub(r'"\1"', _PORT.sub(r"\1:PORT", message))).strip()


def show_message(documents: Documents, cluster: Cluster, part: str, message: str, language: str = "text") -> None:
    """See to it that the page holds a message between the marks of its part, as a block in a language.

    The page is for the newest version; others may word a message in another way.
    """
    if cluster.version != VERSION:
        return
    with (documents.root / PAGE).open("rb") as page:
        # Several workers may write to it.
        fcntl.flock(page, fcntl.LOCK_EX)
        documents.show(PAGE, f"```{language}\n{normalised(message)}\n```", part)
