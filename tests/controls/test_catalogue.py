"""The folder is the catalogue: names and texts follow from the files."""

import types

import pytest

from hardener import controls
from hardener.controls import CATALOGUE


def test_every_control_is_named_after_its_file():
    assert list(CATALOGUE) == sorted(CATALOGUE)
    assert set(CATALOGUE) == {
        "allowPrivilegeEscalation",
        "automountServiceAccountToken",
        "capabilities",
        "readOnlyRootFilesystem",
        "resources",
        "runAsNonRoot",
        "seccompProfile",
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_control_has_its_texts_and_distinct_reasons(name):
    control = CATALOGUE[name]

    assert control.name == name
    for text in (control.summary, control.why, control.changes, control.opt_out_when):
        assert text.endswith(".")
        assert "\n" not in text
    assert len(set(control.all_holds)) == len(control.all_holds)
    assert all(reason.isprintable() and not reason.endswith(".") for reason in control.all_holds)


@pytest.mark.parametrize(
    "docstring",
    [
        None,
        "",
        "A summary only.\n",
        "A summary.\n\nWhy: x.\nOpt out when: y.\nChanges: z.\n",
        "A summary.\n\nWhy: x.\nChanges: z.\n",
    ],
)
def test_a_file_without_its_headings_fails_with_its_name(docstring):
    module = types.ModuleType("hardener.controls.broken", docstring)

    with pytest.raises(
        TypeError, match=r"^hardener\.controls\.broken: the docstring needs a summary, then Why, Changes"
    ):
        controls._sections(module)
