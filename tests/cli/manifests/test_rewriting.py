import os
import stat

import pytest

from hardener.cli.manifests.rewriting import rewrite
from hardener.errors import EditError

NOBODY = 65534


def test_the_content_changes_and_the_mode_stays(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"old")
    file.chmod(0o640)

    rewrite(str(file), b"old", b"new")

    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.yaml"]  # noqa: PTH208  the names are all


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays_where_that_is_allowed(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"old")
    os.chown(file, NOBODY, NOBODY)

    rewrite(str(file), b"old", b"new")

    assert (file.stat().st_uid, file.stat().st_gid) == (NOBODY, NOBODY)


def test_a_symbolic_link_stays_one(tmp_path):
    file = tmp_path / "there" / "a.yaml"
    file.parent.mkdir()
    file.write_bytes(b"old")
    link = tmp_path / "link.yaml"
    link.symlink_to(file)

    rewrite(str(link), b"old", b"new")

    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_file_that_was_changed_meanwhile_is_left_alone(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"other")

    with pytest.raises(EditError, match="was changed by somebody else since it was read"):
        rewrite(str(file), b"old", b"new")

    assert file.read_bytes() == b"other"


def test_a_file_that_went_away_is_an_error(tmp_path):
    with pytest.raises(EditError, match="cannot be written: No such file or directory"):
        rewrite(str(tmp_path / "a.yaml"), b"old", b"new")


def test_what_is_no_file_is_not_written(tmp_path):
    with pytest.raises(EditError, match="is no regular file"):
        rewrite(str(tmp_path), b"old", b"new")


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_read_only_file_or_folder_is_an_error_and_nothing_is_left_behind(tmp_path, mode):
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "a.yaml"
    file.write_bytes(b"old")
    file.chmod(mode)
    if mode & 0o200:
        folder.chmod(0o555)
    if os.getuid() == 0:
        for parent in (tmp_path, *tmp_path.parents):
            parent.chmod(parent.stat().st_mode | 0o055)
        os.chown(file, NOBODY, NOBODY)
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        with pytest.raises(EditError, match=r"cannot be written: (is read-only|Permission denied)"):
            rewrite(str(file), b"old", b"new")
    finally:
        os.seteuid(os.getuid())
        folder.chmod(0o755)

    assert file.read_bytes() == b"old"
    assert [each.name for each in folder.iterdir()] == ["a.yaml"]
