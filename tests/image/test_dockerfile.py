"""What can be said of the Dockerfile without building it."""

import re
import tomllib
from pathlib import PurePosixPath

from tests.image.locks import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_python_of_the_base_is_one_that_the_project_supports():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (version,) = re.findall(r"^ARG BASE=docker\.io/library/python:(\d+\.\d+)-slim$", DOCKERFILE, re.MULTILINE)

    assert f"Programming Language :: Python :: {version}" in project["classifiers"]


def test_what_it_copies_is_there_and_let_through():
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {PurePosixPath(each) for sources in copied for each in sources.split()}
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {PurePosixPath(line[1:]) for line in lines if line.startswith("!")}

    assert lines[1] == "*"
    assert [str(each) for each in sources if not (ROOT / each).exists()] == []
    assert [str(each) for each in sources if not allowed & {each, *each.parents}] == []
    assert [str(each) for each in allowed if not any({each} & {source, *source.parents} for source in sources)] == []
