"""`hardener scan` from its options to its exit code, and how a command finds a live cluster."""

import asyncio
import subprocess
import sys

import pytest
import yaml

from hardener.cli.live import live_config, live_facts
from hardener.errors import ConfigError, StartError
from hardener.model import UNKNOWN, Verdict
from tests.cli.command_line import hardener
from tests.cluster.listing_double import ListingDouble

SPEC = {"containers": [{"name": "app", "image": "a"}]}
CONFIG = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: {}\n"


def named(name, namespace="shop", **fields):
    return {"metadata": {"name": name, "namespace": namespace, "resourceVersion": "5"}, **fields}


@pytest.fixture
async def api():
    async with ListingDouble() as double:
        for plural in ("limitranges", "resourcequotas", "serviceaccounts", "pods"):
            double.lists[f"/api/v1/{plural}"] = []
        for plural in ("apps/v1/deployments", "apps/v1/statefulsets", "apps/v1/daemonsets", "batch/v1/cronjobs"):
            double.lists[f"/apis/{plural}"] = []
        double.lists["/api/v1/namespaces"] = [named("shop", "")]
        double.lists["/api/v1/pods"] = [named("web", spec=SPEC)]
        yield double


@pytest.fixture
def kubeconfig(api, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": api.url}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture
def scan(kubeconfig):
    """Runs the command in a thread, so that the API server of the test can answer it."""

    async def run(*arguments):
        return await asyncio.to_thread(hardener, "scan", f"--kubeconfig={kubeconfig}", *arguments)

    return run


async def test_a_pod_that_lacks_something_is_exit_code_1_and_nothing_on_standard_error(scan):
    done = await scan("--output=json")

    assert (done.code, done.err) == (1, "")
    assert done.json["states"] == {"unhardened": 1}


async def test_a_cluster_in_which_nothing_is_lacking_is_exit_code_0(scan, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format("observe"), encoding="utf-8")

    assert (await scan(f"--config={config}")).code == 0


async def test_what_cannot_be_read_is_exit_code_2_and_told_beside_the_rest(scan, api):
    api.refusals["/apis/apps/v1/deployments"].append(403)
    done = await scan("--output=json")

    assert done.code == 2
    assert done.problems == ["no right to list deployments.apps: those without pods are left out"]
    assert done.json["states"] == {"unhardened": 1}


async def test_a_control_that_fails_inside_is_exit_code_3(scan, monkeypatch):
    monkeypatch.setattr("hardener.engine._verdict", lambda enabled, *_: _failed(enabled))
    done = await scan("--output=json")

    assert done.code == 3
    assert "no luck" in done.json["namespaces"][0]["findings"][0]["errors"][0]


def _failed(enabled):
    return Verdict(enabled.control.name, enabled.mode, error=ValueError("no luck"))


@pytest.mark.parametrize(
    ("output", "words"), [("table", "1 of 1 pod lacks"), ("sarif", '"version": "2.1.0"'), ("html", "<!DOCTYPE html>")]
)
async def test_each_output_tells_it(scan, output, words):
    done = await scan(f"--output={output}")

    assert done.code == 1
    assert words in done.out


async def test_colours_are_there_where_they_are_wanted(scan):
    assert "\x1b[" in (await scan("--color=always")).out
    assert "\x1b[" not in (await scan("--color=never")).out


async def test_a_mistake_in_the_configuration_is_told_before_anything_is_asked(scan, api, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format("standart"), encoding="utf-8")
    done = await scan(f"--config={config}")

    assert done.code == 2
    assert "did you mean" in done.err
    assert api.asked == []


async def test_the_configuration_of_a_config_map_is_the_key_that_holds_one(scan, api):
    data = {"a.yaml": "no configuration", "b.yaml": CONFIG.format("observe")}
    api.objects["/api/v1/namespaces/sys/configmaps/hardener"] = {"data": data}
    done = await scan("--config-from=sys/hardener", "--output=json")

    assert (done.code, done.json["config"], done.json["states"]) == (0, "sys/hardener:b.yaml", {"would change": 1})
    api.objects["/api/v1/namespaces/sys/configmaps/hardener"] = {"data": {"a.yaml": "no configuration"}}
    done = await scan("--config-from=sys/hardener")
    assert (done.code, done.problems) == (
        2,
        ["the ConfigMap sys/hardener holds no HardenerConfig under any of its keys"],
    )


def test_two_configurations_exclude_one_another(tmp_path):
    done = hardener("scan", "--config=a.yaml", "--config-from=a/b")

    assert done.code == 2
    assert "exclude one another" in done.err


@pytest.mark.parametrize("place", ["hardener", "/hardener", "a/b/c", "a/", "A/b"])
def test_a_config_map_has_a_namespace_and_a_name(place):
    done = hardener("scan", f"--config-from={place}")

    assert done.code == 2
    assert "write NAMESPACE/NAME" in done.err


@pytest.mark.parametrize("name", ["Shop", "a/b", "..", ""])
def test_what_cannot_be_a_namespace_is_refused(name):
    done = hardener("scan", f"--namespace={name}")

    assert done.code == 2
    assert "cannot be the name of a namespace" in done.err


def test_without_a_cluster_it_says_where_one_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    done = hardener("scan")

    assert (done.code, done.out) == (2, "")
    assert done.problems[0].startswith("no cluster was found: name a kubeconfig with --kubeconfig or in KUBECONFIG")


async def test_the_kubeconfig_of_the_environment_and_then_that_of_the_home_is_taken(monkeypatch, tmp_path, kubeconfig):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    assert (await asyncio.to_thread(hardener, "scan")).code == 1

    monkeypatch.delenv("KUBECONFIG")
    (tmp_path / ".kube").mkdir()
    kubeconfig.rename(tmp_path / ".kube" / "config")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (await asyncio.to_thread(hardener, "scan")).code == 1


async def test_facts_are_those_of_the_cluster(api, kubeconfig):
    inside = "/api/v1/namespaces/shop"
    api.objects[inside] = {"metadata": {"name": "shop", "resourceVersion": "5", "labels": {"team": "a"}}}
    for plural in ("limitranges", "resourcequotas", "serviceaccounts"):
        api.lists[f"{inside}/{plural}"] = []
    facts, problems = await asyncio.to_thread(live_facts, kubeconfig, ["shop", "nowhere"])

    assert (facts["shop"].labels, facts["shop"].known) == ({"team": "a"}, True)
    assert "nowhere" not in facts
    assert problems == ["there is no namespace nowhere"]
    everywhere, _ = await asyncio.to_thread(live_facts, kubeconfig)
    assert set(everywhere) == {"shop"}
    assert everywhere["shop"] is not UNKNOWN


async def test_a_configuration_alone_can_be_read_and_its_mistakes_name_the_config_map(api, kubeconfig):
    path = "/api/v1/namespaces/sys/configmaps/hardener"
    api.objects[path] = {"data": {"config.yaml": CONFIG.format("observe")}}
    config = await asyncio.to_thread(live_config, kubeconfig, ("sys", "hardener"))
    assert config.default.name == "observe"

    api.objects[path] = {"data": {"config.yaml": CONFIG.format("nothing")}}
    with pytest.raises(ConfigError, match=r"sys/hardener:config\.yaml:3: default"):
        await asyncio.to_thread(live_config, kubeconfig, ("sys", "hardener"))
    with pytest.raises(StartError, match="sys/other cannot be read"):
        await asyncio.to_thread(live_config, kubeconfig, ("sys", "other"))


def test_help_tells_the_exit_codes_without_the_library_of_the_cluster():
    program = (
        "import sys; from hardener.cli import run; run(['scan', '--help'], 'hardener'); "
        "sys.exit(', '.join({'kubernetes', 'aiohttp', 'rich'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Exit code 0: every pod has what its policy enforces" in " ".join(done.stdout.split())
