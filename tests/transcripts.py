"""Transcripts: commands as people type them, after a `$`, each with what it prints.

They stand in the results of `config/examples` and in the README. `python -m tests.transcripts`, which `make generate`
runs, writes anew what the commands print.
"""

import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

from hardener.cli.manifests.documents import read_documents
from hardener.policy.reading import embedded_config
from tests.admission.asking import ask_explain
from tests.admission.reviews import workload_request
from tests.cli.command_line import hardener

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
EXAMPLES = ROOT / "config" / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/config.yaml"))
RESULT = "result.txt"

_PROMPT = "$ "
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    """The command lines in a text."""
    return [line.removeprefix(_PROMPT) for line in text.splitlines() if line.startswith(_PROMPT)]


def run(transcript: str, folder: Path) -> str:
    """The same commands, run in a folder, with what they print now."""
    with chdir(folder):
        return "\n".join(f"{_PROMPT}{command}\n{_output(command)}" for command in commands(transcript))


def run_blocks(page: str, folder: Path) -> str:
    """A page in Markdown whose console blocks are transcripts, with what their commands print now."""
    return _CONSOLE.sub(lambda block: run(block[0], folder), page)


def _output(command: str) -> str:
    match shlex.split(command):
        case ["hardener", *arguments]:
            result = hardener(*arguments)
            return result.out + result.err
        case ["kubectl", "apply", "-f", file]:
            return "".join(f"{line}\n" for line in _applied(Path(file)))
    raise ValueError(f"a transcript cannot run {command!r}")


def _applied(file: Path) -> Iterator[str]:
    """What kubectl prints where workloads are sent to the `/explain` of `hardener serve --dry-run`."""
    config = embedded_config().capped()
    for document in read_documents(file.read_bytes(), str(file)):
        obj = document.value
        metadata = obj["metadata"]
        request = workload_request(obj, namespace=metadata["namespace"])
        _, warnings = ask_explain(request, config, today=datetime.now(UTC).date())
        yield from (f"Warning: {text}" for text in warnings)
        yield f"{obj['kind'].lower()}.{obj['apiVersion'].partition('/')[0]}/{metadata['name']} created"


def main() -> None:
    README.write_text(run_blocks(README.read_text(), ROOT))
    for folder in FOLDERS:
        path = folder / RESULT
        path.write_text(run(path.read_text(), folder))


if __name__ == "__main__":
    main()
