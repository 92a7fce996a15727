import pytest

from hardener.cli.manifests.documents import manifests, read_documents
from hardener.cli.output.places import Places, in_repository, origin, source, source_of
from tests.cli.command_line import DEPLOYMENT

ORIGIN = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    config.kubernetes.io/origin: |
      path: base/deployment.yaml
"""


def read(text, file="<stdin>"):
    (document,) = read_documents(text.encode(), file)
    (manifest,) = manifests(document)
    return document, manifest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\n# Source: chart/templates/web.yaml\nkind: Pod\n", "chart/templates/web.yaml"),
        ("# Source: chart/charts/sub/templates/a b.yaml  \nkind: Pod\n", "chart/charts/sub/templates/a b.yaml"),
        ("--- # a\r\n# a comment\r\n\r\n# Source: x.yaml\r\nkind: Pod\r\n", "x.yaml"),
        ("\ufeff# Source: x.yaml\n", "x.yaml"),
        ("%YAML 1.1\n---\n#Source: x.yaml\nkind: Pod\n", "x.yaml"),
        ("kind: Pod\n# Source: x.yaml\n", ""),
        ("# Source:\nkind: Pod\n", ""),
        ("# The Source: x.yaml\nkind: Pod\n", ""),
        ("", ""),
    ],
)
def test_helm_names_the_template_in_a_comment_above_the_content(text, expected):
    assert source_of(text) == expected


def test_kustomize_names_the_file_in_an_annotation():
    assert source(read(ORIGIN)[1]) == "base/deployment.yaml"


@pytest.mark.parametrize(
    "value", ["|\n      repo: https://git.example/x\n      path: a.yaml", "12", "[]", "'configuredIn: k.yaml'"]
)
def test_an_origin_in_another_repository_or_of_another_form_names_no_file(value):
    assert source(read(ORIGIN.replace("|\n      path: base/deployment.yaml", value))[1]) == ""


def test_only_a_stream_is_called_by_the_template_that_it_came_from():
    text = f"# Source: chart/templates/web.yaml\n{DEPLOYMENT}"

    assert origin(read(text)[1]) == "chart/templates/web.yaml"
    assert origin(read(text, "rendered.yaml")[1]) == "rendered.yaml"
    assert origin(read(DEPLOYMENT)[1]) == "<stdin>"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 3),
        (("metadata", "namespace"), 7),
        (("spec", "template", "spec", "containers", 0), 12),
        (("spec", "template", "spec", "containers", 0, "securityContext", "runAsNonRoot"), 12),
        (("spec", "template", "metadata", "annotations", "a"), 9),
    ],
)
def test_a_place_has_the_line_of_the_nearest_thing_that_the_file_has(path, line):
    document, manifest = read(f"\n\n{DEPLOYMENT}", "web.yaml")

    place = Places(document).place(manifest, path)

    assert (place.file, place.line) == ("web.yaml", line)


def test_text_that_is_no_yaml_has_the_line_of_its_document():
    document, manifest = read('\n{"kind": "Pod", "apiVersion": "v1", "x": "\x7f"}', "pod.json")

    assert Places(document).place(manifest, ("x",)).line == 1


@pytest.mark.parametrize(
    ("file", "expected"),
    [("a/../b.yaml", "b.yaml"), ("./b.yaml", "b.yaml"), ("deploy//b.yaml", "deploy/b.yaml"), ("-", "-")],
)
def test_a_path_is_seen_from_here(file, expected, monkeypatch, tmp_path):
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)

    assert in_repository(file) == expected
    assert in_repository(str(tmp_path / file)) == expected


def test_a_workspace_elsewhere_is_not_the_root(monkeypatch, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "other"))
    monkeypatch.chdir(tmp_path / "one")

    assert in_repository("a.yaml") == "a.yaml"
    assert in_repository(str(tmp_path / "other" / "b.yaml")) == str(tmp_path / "other" / "b.yaml")


def test_a_folder_that_is_reached_through_a_link_is_the_same_folder(monkeypatch, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path / "link")

    assert in_repository(str(tmp_path / "link" / "a.yaml")) == "a.yaml"
    assert in_repository(str(tmp_path / "real" / "a.yaml")) == "a.yaml"
