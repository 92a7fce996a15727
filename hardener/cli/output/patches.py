"""`-o patch`: for programs that change manifests themselves."""

import msgspec

from hardener.cli.output.formats import Format
from hardener.cli.output.tally import Judged


class Patches(Format):
    """One RFC 6902 array a line for each pod template; it applies to the document that holds the object."""

    def show(self, judged: Judged) -> str:
        return "".join(msgspec.json.encode(preview.patch()).decode() + "\n" for preview in judged.previews)
