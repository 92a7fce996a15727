"""What one row of an overview says about an object: words, for any format that has tables."""

from hardener.cli.judgement import Preview
from hardener.model import Mode
from hardener.wording import HELD_BACK, THE_POD, describe_at, held_back, one_line

HEADINGS = ("object", "policy", "changes", "held back", "opt-outs")


def changes(preview: Preview) -> list[str]:
    """Which controls would change which containers."""
    return [
        *_with_places(preview, Mode.ENFORCE),
        *(f"dry-run: {line}" for line in _with_places(preview, Mode.DRY_RUN)),
    ]


def _with_places(preview: Preview, mode: Mode) -> list[str]:
    places: dict[str, dict[str, None]] = {}
    for edit in preview.edits:
        if edit.mode is mode:
            places.setdefault(edit.control, {})[describe_at(edit.write.at)] = None
    return [one_line(f"{control} ({', '.join(names)})") for control, names in places.items()]


def holds(preview: Preview) -> list[str]:
    """What is held back, with the reason."""
    return [one_line(text.removeprefix(f"{HELD_BACK} ")) for _, text in held_back(preview.outcome)]


def opt_outs(preview: Preview) -> list[str]:
    """Which opt-outs were asked for, and whether they count."""
    return [
        one_line(
            f"{each.control} ({THE_POD if each.container is None else each.container}) "
            f"({'accepted' if each.accepted else 'refused'})"
        )
        for each in preview.outcome.opt_outs
    ]
