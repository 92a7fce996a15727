"""Paths as the kubelet reads them."""

import pytest

from hardener.model.path import ancestors, clean, holds


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
    ("path", "expected"),
    [
        ("/", {"/"}),
        ("/tmp", {"/", "/tmp"}),
        ("/var/lib/cache", {"/", "/var", "/var/lib", "/var/lib/cache"}),
    ],
)
def test_the_ancestors_of_a_path_are_the_folders_that_hold_it(path, expected):
    assert ancestors(path) == expected
    assert all(holds(folder, path) for folder in expected)
