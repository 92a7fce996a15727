"""Paths as the kubelet reads them."""

import pytest

from hardener.model.path import clean, holds, lies_in_any


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tmp", "/tmp"),
        ("tmp", "/tmp"),
        ("/tmp/", "/tmp"),
        ("//tmp//", "/tmp"),
        ("///tmp", "/tmp"),
        ("/./tmp/.", "/tmp"),
        ("/var/../tmp", "/tmp"),
        ("../../tmp", "/tmp"),
        ("/tmp/..", "/"),
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        (".", "/"),
        ("/var/cache//x", "/var/cache/x"),
        ("/tmp /x", "/tmp /x"),
    ],
)
def test_a_path_is_made_absolute_and_plain(path, expected):
    assert clean(path) == expected
    assert clean(clean(path)) == expected


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("/tmp", "/tmp", True),
        ("/tmp", "/tmp/x", True),
        ("/tmp", "/tmp/x/y", True),
        ("/tmp", "/tmpfiles", False),
        ("/tmp/x", "/tmp", False),
        ("/", "/tmp", True),
        ("/", "/", True),
        ("/tmp", "/", False),
    ],
)
def test_a_folder_holds_itself_and_what_lies_below(folder, path, expected):
    assert holds(folder, path) is expected


@pytest.mark.parametrize(
    ("path", "folders", "expected"),
    [
        ("/tmp/x", [], False),
        ("/tmp/x", ["/var", "/tmp"], True),
        ("/tmp/x", ["/var", "/tmp/x/y", "/tm"], False),
        ("/tmp/x", ["/var", "/tmp/x"], True),
        ("/tmp/x", ["/"], True),
        ("/", ["/tmp"], False),
        ("/", ["/"], True),
    ],
)
def test_a_path_may_lie_in_any_of_several_folders(path, folders, expected):
    assert lies_in_any(path, folders) is expected
