"""The rules of a SARIF log: one for each control, as its own file describes it, and two for what is said beside them."""

from functools import cache

from hardener.cli.pages.markdown import anchor
from hardener.controls import CATALOGUE
from hardener.model import Control
from hardener.policy.opt_out import OPT_OUT
from hardener.wording import NAME

OPT_OUTS = "optOut"
REMARKS = "remark"

PAGE = "docs/controls.md"

_LINKS = ("repository", "source", "homepage")
"""The labels under which a Python package names where it comes from, the best one first."""

Json = dict[str, object]


@cache
def information_uri() -> str:
    """The project's address, as the installed package names it; empty where it names none."""
    from importlib.metadata import PackageNotFoundError, metadata  # noqa: PLC0415  only SARIF asks

    try:
        named = metadata(NAME).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    links = {label.strip().lower(): uri.strip() for label, _, uri in (str(each).partition(",") for each in named)}
    return next((links[label] for label in _LINKS if label in links), "").rstrip("/")


def rules() -> list[Json]:
    """Every rule, in the same order each time."""
    return [*(_of_control(control) for control in CATALOGUE.values()), _opt_outs(), _remarks()]


def _of_control(control: Control) -> Json:
    where = PAGE + anchor(control.name)
    opt_out = f'{OPT_OUT}: "{control.name}"'
    paragraphs = [
        ("Why", control.why),
        ("Changes", control.changes),
        ("Opt out when", control.opt_out_when),
        ("Opt out with", f"the annotation `{opt_out}` on the pod, or on the pod template of a workload."),
    ]
    uri = f"{information_uri()}/blob/HEAD/{where}" if information_uri() else ""
    more = f"More: {uri or where}, or `{NAME} controls {control.name}`."
    rule = _rule(
        control.name,
        control.summary,
        f"{control.summary} {_sentence(control.why)}",
        "warning",
        "\n\n".join([*(f"{heading}: {text}" for heading, text in paragraphs), more]),
        "\n\n".join([*(f"**{heading}:** {text}" for heading, text in paragraphs), more]),
    )
    if uri:
        rule["helpUri"] = uri
    tags = ["security", "kubernetes", *([f"pod-security-{control.pss}"] if control.pss else [])]
    return {**rule, "properties": {"tags": tags, "precision": "very-high", "problem.severity": "warning"}}


def _opt_outs() -> Json:
    text = (
        f"An opt-out that is refused does not count: the pod is hardened all the same. The message says why and what would "
        f"mend it. One that ends soon counts until its day (`{OPT_OUT}-until`)."
    )
    return _rule(OPT_OUTS, "An opt-out is refused, or ends soon.", text, "error", text, text)


def _remarks() -> Json:
    text = (
        "Something that the author of the manifest did not mean: an annotation that does nothing where it stands, a "
        "container that does not exist, or a file that cannot be applied again unchanged."
    )
    return _rule(REMARKS, "A manifest does not do what it seems to say.", text, "warning", text, text)


def _rule(name: str, summary: str, description: str, level: str, text: str, markdown: str) -> Json:
    return {
        "id": name,
        "name": name[:1].upper() + name[1:],
        "shortDescription": {"text": summary},
        "fullDescription": {"text": description},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": level},
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
