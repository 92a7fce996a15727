"""`--kubeconfig` and `--config-from` of preview and fix; tests/e2e/test_preview_live.py has a real cluster for them."""

import pytest

from tests.cli.command_line import DEPLOYMENT, hardener

COMMANDS = ("preview", "fix")


@pytest.mark.parametrize("command", COMMANDS)
def test_two_configurations_exclude_one_another(command, tmp_path):
    result = hardener(command, "--config", "a.yaml", "--config-from", "hardener-system/hardener", "-", stdin=DEPLOYMENT)

    assert result.code == 2
    assert "--config and --config-from exclude one another" in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_labels_are_not_made_up_where_a_cluster_tells_them(command, tmp_path):
    result = hardener(command, "--label", "team=a", "--kubeconfig", "kubeconfig", "-", stdin=DEPLOYMENT)

    assert result.code == 2
    assert "with --kubeconfig the labels are those of the cluster: leave out --label" in result.err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_kubeconfig_that_is_not_there_is_named(command, tmp_path):
    result = hardener(command, "--kubeconfig", str(tmp_path / "none"), "-", stdin=DEPLOYMENT)

    assert (result.code, result.out) == (2, "")
    assert result.problems == [f"{tmp_path / 'none'}: there is no such kubeconfig; name one that exists"]


@pytest.mark.parametrize("place", ["hardener", "a/b/c", "/b", "a/", "A/b"])
def test_a_place_that_names_no_config_map_is_refused(place):
    result = hardener("preview", "--config-from", place, "-", stdin=DEPLOYMENT)

    assert result.code == 2
    assert "names no ConfigMap; write NAMESPACE/NAME" in result.err
