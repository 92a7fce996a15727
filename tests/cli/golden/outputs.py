"""What `hardener preview` prints in each format, kept beside this file: `python -m tests.cli.golden.outputs` writes it anew.

Formats that show nothing of a manifest but names are held over real ones of the corpus, the others over the project's own
examples.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardener import __version__
from tests.cli.command_line import hardener
from tests.corpus.manifests import FOLDER, REPOSITORY, files

HERE = Path(__file__).parent
COMMAND = "python -m tests.cli.golden.outputs"

REAL = (
    "BishopFox__badPods/manifests__hostipc__cronjob__hostipc-exec-cronjob.yaml",
    "BishopFox__badPods/manifests__hostpid__job__hostpid-exec-job.yaml",
    "FairwindsOps__polaris/test__checks__insecureCapabilities__mutated.add.yaml",
    "GoogleCloudPlatform__microservices-demo/kubernetes-manifests__loadgenerator.yaml",
    "dockersamples__example-voting-app/k8s-specifications__redis-deployment.yaml",
    "flannel-io__flannel/Documentation__kube-flannel.6.yaml",
    "kubernetes-csi__csi-driver-nfs/deploy__example__statefulset.yaml",
    "kubernetes__autoscaler/cluster-autoscaler__cloudprovider__hetzner__examples__cluster-autoscaler-run-on-master.6.yaml",
    "kubernetes__examples/_archived__podsecuritypolicy__rbac__pod_priv.yaml",
    "kubernetes__website/content__en__examples__application__deployment-sidecar.yaml",
    "kubernetes__website/content__en__examples__windows__daemonset.yaml",
    "prometheus-operator__kube-prometheus/manifests__blackboxExporter-deployment.yaml",
    "prometheus-operator__prometheus-operator/test__framework__resources__nxginx-ingress-controller.yaml",
)
"""Of the corpus: many kinds, init containers, sidecars, Windows, host agents, root, and a namespace that is left alone."""

EXAMPLES = ("config/examples/first-day/workload.yaml", "config/examples/machine-learning")
"""Of the repository; none of them speaks of a day."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Golden:
    """One kept output: `arguments` of preview, over manifests below a folder."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    inputs: tuple[str, ...]

    @property
    def file(self) -> Path:
        return HERE / self.name

    @property
    def available(self) -> bool:
        """Whether its manifests are there: the corpus is no part of the repository."""
        return self.folder != FOLDER or bool(files())

    def made(self) -> str:
        """The output as it is now; long JSON without spaces, one line for each part, whatever the release."""
        with chdir(self.folder), _no_workspace():
            out = hardener("preview", *self.inputs, "-o", *self.arguments).out
        if not self.name.endswith(".jsonl") or self.arguments == ("patch",):
            return out
        value = json.loads(out.replace(f'"{__version__}"', '"VERSION"'))
        parts = _parts(value) if isinstance(value, dict) else value
        return "".join(f"{json.dumps(part, ensure_ascii=False, separators=(',', ':'))}\n" for part in parts)


def _real(name: str, *arguments: str) -> Golden:
    return Golden(name, arguments, FOLDER, tuple(f"corpus/{file}" for file in REAL))


def _example(name: str, *arguments: str) -> Golden:
    return Golden(name, arguments, REPOSITORY, EXAMPLES)


GOLDENS = (
    _real("objects.jsonl", "json"),
    _real("results.jsonl", "sarif"),
    _real("annotations.txt", "github"),
    _real("table.txt", "table"),
    _real("summary.txt", "table", "--summary"),
    _real("summary.json", "json", "--summary"),
    _real("summary.md", "markdown", "--summary"),
    _example("changes.diff", "diff"),
    _example("hardened.yaml.txt", "yaml"),
    _example("patches.jsonl", "patch"),
    _example("comment.md", "markdown"),
)


@contextmanager
def _no_workspace() -> Iterator[None]:
    """Paths are seen from the folder, wherever the tests themselves run."""
    workspace = os.environ.pop("GITHUB_WORKSPACE", None)
    try:
        yield
    finally:
        if workspace is not None:
            os.environ["GITHUB_WORKSPACE"] = workspace


def _parts(log: Json) -> list[Json]:
    """The tool, the invocations, the results and the rules of a SARIF log; the texts of the rules are elsewhere."""
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    rules = driver.pop("rules")
    kept = ("id", "name", "defaultConfiguration", "properties")
    return [
        driver,
        *run["invocations"],
        *run["results"],
        *({key: rule[key] for key in kept if key in rule} for rule in rules),
    ]


def main() -> int:
    """Write all that can be made."""
    for golden in GOLDENS:
        if golden.available:
            golden.file.write_text(golden.made(), encoding="utf-8")
        sys.stdout.write(f"{'written' if golden.available else 'no corpus for'}: {golden.file.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
