"""Opt-outs that a policy refuses, and the sentence that says which and why; told by every surface."""

from dataclasses import dataclass
from datetime import date, timedelta

from tests.pods import TODAY

OPT_OUT = "hardener.dev/opt-out"
REASON = "hardener.dev/opt-out-reason"
UNTIL = "hardener.dev/opt-out-until"
OF_APP = "opt-out.hardener.dev/app"
OF_NOBODY = "opt-out.hardener.dev/nobody"


@dataclass(frozen=True)
class Refused:
    """An opt-out of `capabilities`: `rules` is the policy's `optOut`, `until` its last day, in days from today."""

    rules: str
    annotations: dict[str, str]
    sentence: str
    until: int | None = None

    def annotations_on(self, today: date) -> dict[str, str]:
        return self.annotations if self.until is None else {**self.annotations, UNTIL: day(self.until, today)}

    def sentence_on(self, today: date) -> str:
        return self.sentence if self.until is None else self.sentence.replace("{until}", day(self.until, today))


def day(distance: int, today: date = TODAY) -> str:
    return (today + timedelta(days=distance)).isoformat()


REFUSED = {
    "locked on the pod": Refused(
        "controls: [resources]",
        {OPT_OUT: "capabilities"},
        "opt-out capabilities(the pod) refused: the policy locks this control",
    ),
    "locked on a container": Refused(
        "controls: [resources]",
        {OF_APP: "capabilities"},
        "opt-out capabilities(app) refused: the policy locks this control",
    ),
    "everything locked": Refused(
        "controls: none", {OPT_OUT: "*"}, "opt-out *(the pod) refused: the policy locks every control"
    ),
    "misspelt on the pod": Refused(
        "controls: all",
        {OPT_OUT: "capabilites"},
        "opt-out capabilites(the pod) refused: did you mean capabilities?",
    ),
    "misspelt on a container": Refused(
        "controls: all",
        {OF_APP: "Capabilities"},
        "opt-out Capabilities(app) refused: did you mean capabilities?",
    ),
    "no control at all": Refused(
        "controls: all", {OPT_OUT: "please"}, "opt-out please(the pod) refused: no such control"
    ),
    "no reason": Refused(
        "requireReason: true",
        {OPT_OUT: "capabilities"},
        "opt-out capabilities(the pod) refused: hardener.dev/opt-out-reason must say why",
    ),
    "an empty reason": Refused(
        "requireReason: true",
        {OF_APP: "capabilities", REASON: " \t"},
        "opt-out capabilities(app) refused: hardener.dev/opt-out-reason must say why",
    ),
    "no last day": Refused(
        "maxDays: 30",
        {OPT_OUT: "capabilities"},
        "opt-out capabilities(the pod) refused: hardener.dev/opt-out-until must name a day within 30 days",
    ),
    "a last day that is none": Refused(
        "maxDays: 30",
        {OPT_OUT: "capabilities", UNTIL: "next\nweek"},
        "opt-out capabilities(the pod) refused: hardener.dev/opt-out-until is 'next week', not a day such as 2027-01-31",
    ),
    "expired": Refused(
        "controls: all",
        {OPT_OUT: "capabilities"},
        "opt-out capabilities(the pod) refused: it ended on {until}",
        until=-2,
    ),
    "expired on a container": Refused(
        "maxDays: 30",
        {OF_APP: "capabilities"},
        "opt-out capabilities(app) refused: it ended on {until}",
        until=-400,
    ),
    "too far ahead": Refused(
        "maxDays: 30",
        {OPT_OUT: "capabilities"},
        "opt-out capabilities(the pod) refused: hardener.dev/opt-out-until is more than 30 days ahead",
        until=32,
    ),
}

NOBODY = f"{OF_NOBODY} names a container that the pod does not have"
