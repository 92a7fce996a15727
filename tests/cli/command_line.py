"""Runs the command line inside the test's process, and manifests to run it on."""

import json
from dataclasses import dataclass

from click.testing import CliRunner

from hardener.cli import run

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
      - name: app
        image: registry.example/web:1
"""

HARDENED_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: done}  # nothing is left to do
spec:
  automountServiceAccountToken: false
  containers:
  - name: app
    image: registry.example/app:1
    resources: {requests: {cpu: 10m, memory: 32Mi}}
    securityContext:
      allowPrivilegeEscalation: false
      capabilities: {drop: [ALL]}
      readOnlyRootFilesystem: true
      runAsNonRoot: true
      seccompProfile: {type: RuntimeDefault}
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}   # kept as it is
"""

CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: job, image: registry.example/job:1}]
"""


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def problems(self) -> list[str]:
        """The error lines, without the program's name and the summary."""
        lines = self.err.splitlines()
        return [line.removeprefix("hardener: ") for line in lines if line.startswith("hardener: ")]


def hardener(*arguments: str, stdin: str | bytes = b"", program: str = "hardener") -> Result:
    with CliRunner().isolation(input=stdin) as (out, err, _):
        code = run([str(argument) for argument in arguments], program)
        return Result(code, out.getvalue().decode(), err.getvalue().decode())
