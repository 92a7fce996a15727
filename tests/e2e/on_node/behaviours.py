"""Images that behave as real ones do, what of them bears hardening, and what mends it where one does not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tests.e2e.images import BASE, BUSYBOX, USER, File, Folder, Image, Layer
from tests.e2e.webhook_image import INTERPRETER, PYTHON

Json = dict[str, Any]

CAP_NET_RAW = 1 << 13

SERVE = r"""#!/bin/sh
# Says what a container can find out about itself, as a sign that its program has started, and waits.
status() { grep "^$1:" /proc/self/status | tr -d ' \t' | cut -d : -f 2; }
root=$(grep ' / ' /proc/mounts | cut -d ' ' -f 4 | cut -d , -f 1)
if touch /tmp/.probe 2>/dev/null; then tmp=writable; else tmp=fixed; fi
if [ -e /var/run/secrets/kubernetes.io/serviceaccount ]; then token=present; else token=absent; fi
echo "started CapEff=$(status CapEff) NoNewPrivs=$(status NoNewPrivs) Seccomp=$(status Seccomp)" \
    "root=$root tmp=$tmp token=$token"
trap 'exit 0' TERM
while :; do sleep 3600 & wait $!; done
"""


@dataclass(frozen=True)
class Behaviour:
    """An image, and a pod of it. `name` is the image's tag and the container's name is `app`.

    `breaks` are the controls that it cannot live with, in the order in which they show; `held` those that hold back by
    themselves. `pod` and `better` are YAML of a pod's spec, merged by container name; with `better` it runs hardened and
    without an opt-out. `container` is whom the opt-out is for, where that is not the whole pod.
    """

    name: str
    does: str
    image: Image
    pod: str = ""
    breaks: Sequence[str] = ()
    held: Sequence[str] = ()
    better: str = ""
    container: str = ""


def _image(tag: str, program: str, file: Callable[[], File] | None = None, user: str = str(USER)) -> Image:
    """An image that runs a shell program; `file` comes into it above all else."""
    above = [Layer(lambda: [file()])] if file else []
    return Image(f"localhost/app:{tag}", [BASE, _SERVE, *above], command=["/bin/sh", "-ec", program], user=user)


_SERVE = Layer(lambda: [File("bin/serve", SERVE.encode(), 0o755)])

_ROOT = _image("root", "exec serve", user="")
_PLAIN = _image("uid1000", "exec serve")
_SCRIPT = [Folder("tmp/app", owner=USER), File("tmp/app/run.sh", b"#!/bin/sh\nexec serve\n", 0o755, USER)]
_PING = "/bin/ping -c 1 127.0.0.1 > /dev/null; exec serve"
_CALL = """
import os, pathlib, ssl, urllib.request
folder = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
headers = {"Authorization": "Bearer " + (folder / "token").read_text()}
request = urllib.request.Request(f"https://{os.environ['KUBERNETES_SERVICE_HOST']}/api", headers=headers)
urllib.request.urlopen(request, context=ssl.create_default_context(cafile=folder / "ca.crt")).read()
os.execv("/bin/serve", ["serve"])
"""
_LOCK = """
if [ -e /tmp/app.lock ]; then echo 'already running: /tmp/app.lock exists' >&2; exit 1; fi
touch /tmp/app.lock
if [ ! -e /state/crashed ]; then touch /state/crashed; echo 'crashed once' >&2; exit 1; fi
exec serve
"""
_STICKY = "[ -k /tmp ] || { echo 'could not find a temporary directory' >&2; exit 1; }; exec serve"

_API = Image("localhost/app:api", [PYTHON, BASE, _SERVE], command=[str(INTERPRETER), "-c", _CALL], user=str(USER))

BEHAVIOURS = [
    Behaviour("uid1000", "has a numeric USER and writes nothing", _PLAIN),
    Behaviour(
        "root",
        "has no USER, so it starts as root",
        _ROOT,
        breaks=["runAsNonRoot"],
        better="containers: [{name: app, securityContext: {runAsUser: 1000}}]",
    ),
    Behaviour(
        "username",
        "has a USER by name",
        _image("username", "exec serve", user="app"),
        breaks=["runAsNonRoot"],
        better="containers: [{name: app, securityContext: {runAsUser: 1000}}]",
    ),
    Behaviour(
        "chown",
        "starts as root, changes the owner of a folder, and becomes another user",
        _image("chown", "chown app /var/log; exec su -s /bin/serve app", user=""),
        breaks=["runAsNonRoot", "capabilities", "readOnlyRootFilesystem"],
        better="""
            containers:
            - name: app
              securityContext: {runAsUser: 0, capabilities: {add: [CHOWN, SETGID, SETUID]}}
              volumeMounts: [{name: log, mountPath: /var/log}]
            volumes: [{name: log, emptyDir: {}}]
            """,
    ),
    Behaviour(
        "port80",
        "starts as root and listens on port 80",
        _image("port80", "httpd -p 80 -h /home; exec serve", user=""),
        breaks=["runAsNonRoot", "capabilities"],
        better="containers: [{name: app, securityContext: {runAsUser: 0, capabilities: {add: [NET_BIND_SERVICE]}}}]",
    ),
    Behaviour(
        "setuid",
        "runs a setuid program (here ping)",
        _image("setuid", _PING, lambda: File("bin/ping", BUSYBOX.read_bytes(), 0o4755)),
        breaks=["allowPrivilegeEscalation", "capabilities"],
        better="""
            containers:
            - name: app
              securityContext: {allowPrivilegeEscalation: true, capabilities: {add: [NET_RAW]}}
            """,
    ),
    Behaviour(
        "filecaps",
        "runs a program with file capabilities (here ping)",
        _image("filecaps", _PING, lambda: File("bin/ping", BUSYBOX.read_bytes(), 0o755, capabilities=CAP_NET_RAW)),
        breaks=["allowPrivilegeEscalation", "capabilities"],
        better="""
            containers:
            - name: app
              securityContext: {allowPrivilegeEscalation: true, capabilities: {add: [NET_RAW]}}
            """,
    ),
    Behaviour("tmpwrite", "writes to /tmp", _image("tmpwrite", "echo x > /tmp/file; exec serve")),
    Behaviour(
        "unpack",
        "unpacks a program into /tmp and runs it there",
        _image("unpack", "cp /bin/serve /tmp/serve; exec /tmp/serve"),
    ),
    Behaviour(
        "varcache",
        "writes to /var/cache",
        _image("varcache", "echo x > /var/cache/file; exec serve"),
        breaks=["readOnlyRootFilesystem"],
        better="""
            containers: [{name: app, volumeMounts: [{name: cache, mountPath: /var/cache}]}]
            volumes: [{name: cache, emptyDir: {}}]
            """,
    ),
    Behaviour(
        "tmpfile",
        "keeps a file of its own under /tmp",
        _image("tmpfile", "cat /tmp/app.conf; exec serve", lambda: File("tmp/app.conf", b"answer=42\n", 0o644, USER)),
        breaks=["readOnlyRootFilesystem"],
        better="containers: [{name: app, securityContext: {readOnlyRootFilesystem: true}}]",
    ),
    Behaviour(
        "script",
        "is started by a script of its own under /tmp",
        Image(
            "localhost/app:script", [BASE, _SERVE, Layer(lambda: _SCRIPT)], command=["/tmp/app/run.sh"], user=str(USER)
        ),
        breaks=["readOnlyRootFilesystem"],
        better="containers: [{name: app, command: [/tmp/app/run.sh]}]",
    ),
    Behaviour(
        "lock",
        "refuses to start where a crashed predecessor left its lock file in /tmp",
        _image("lock", _LOCK),
        pod="""
            containers: [{name: app, volumeMounts: [{name: state, mountPath: /state}]}]
            volumes: [{name: state, emptyDir: {}}]
            """,
        breaks=["readOnlyRootFilesystem"],
    ),
    Behaviour(
        "sticky",
        "refuses a /tmp without a sticky bit, as Ruby does",
        _image("sticky", _STICKY),
        breaks=["readOnlyRootFilesystem"],
    ),
    Behaviour(
        "token",
        "calls the API with the token of the account `default`",
        _API,
        breaks=["automountServiceAccountToken"],
        better="automountServiceAccountToken: true",
    ),
    Behaviour(
        "account",
        "calls the API with the token of an account that its pod names",
        _API,
        pod="serviceAccountName: reader",
        held=["automountServiceAccountToken"],
    ),
    Behaviour(
        "memory",
        "needs more memory than 1Gi",
        _image("memory", "dd if=/dev/zero of=/dev/null bs=1200M count=1 2> /dev/null; exec serve"),
        breaks=["resources"],
        better="containers: [{name: app, resources: {limits: {memory: 1500Mi}}}]",
    ),
    Behaviour(
        "sandbox",
        "makes a user namespace for a sandbox of its own, as browsers do",
        _image("sandbox", "unshare --user true; exec serve"),
        breaks=["seccompProfile"],
    ),
    Behaviour(
        "sidecar",
        "has a native sidecar",
        _PLAIN,
        pod="initContainers: [{name: sidecar, image: 'localhost/app:uid1000', restartPolicy: Always}]",
    ),
    Behaviour(
        "prepare",
        "has an init container that gives a volume to its user, as root",
        _PLAIN,
        pod="""
            initContainers:
            - name: prepare
              image: localhost/app:root
              command: [chown, app, /data]
              securityContext: {runAsUser: 0}
              volumeMounts: [{name: data, mountPath: /data}]
            containers: [{name: app, volumeMounts: [{name: data, mountPath: /data}]}]
            volumes: [{name: data, emptyDir: {}}]
            """,
        breaks=["capabilities"],
        better="initContainers: [{name: prepare, securityContext: {capabilities: {add: [CHOWN]}}}]",
        container="prepare",
    ),
    Behaviour(
        "agent",
        "works on a folder of the node as root",
        _ROOT,
        pod="""
            containers: [{name: app, volumeMounts: [{name: node, mountPath: /node}]}]
            volumes: [{name: node, hostPath: {path: /}}]
            """,
        held=["runAsNonRoot", "capabilities", "readOnlyRootFilesystem"],
    ),
]


def pod_of(behaviour: Behaviour, name: str, *more: str) -> Json:
    """The pod as its author wrote it, with more YAML merged into its spec."""
    spec: Json = {
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "app",
                "image": behaviour.image.reference,
                # What a crashed container has said is then in the pod's status.
                "terminationMessagePolicy": "FallbackToLogsOnError",
            }
        ],
    }
    for text in (behaviour.pod, *more):
        merge(spec, yaml.safe_load(text) or {})
    for container in spec.get("initContainers", []):
        container["terminationMessagePolicy"] = "FallbackToLogsOnError"
    return {"metadata": {"name": name}, "spec": spec}


def merge(into: Json, more: Json) -> None:
    """Merge maps key by key, and lists of named objects by name; anything else replaces."""
    for key, value in more.items():
        present = into.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            merge(present, value)
        elif isinstance(value, list) and isinstance(present, list):
            named = {each["name"]: each for each in present}
            for each in value:
                if each["name"] in named:
                    merge(named[each["name"]], each)
                else:
                    present.append(each)
        else:
            into[key] = value
