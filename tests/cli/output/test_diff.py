import json
from textwrap import dedent

import yaml

from tests.cli.command_line import CRON_JOB, DEPLOYMENT, hardener


def diff(manifest):
    return hardener("preview", "-", stdin=dedent(manifest)).out


def section(text, first, last):
    """The lines from one that begins with `first` up to the next that begins with `last`."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(first))
    end = next(index for index in range(start + 1, len(lines)) if lines[index].startswith(last))
    return lines[start:end]


TWO_PLACES = """\
    apiVersion: v1
    kind: Pod
    metadata:
      name: two
    spec:
      automountServiceAccountToken: false
      containers:
      - name: app
        image: registry.example/app:1
        args: [a, b, c, d, e, f, g]
        resources: {requests: {cpu: 1, memory: 1Gi}}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          seccompProfile: {type: RuntimeDefault}
          capabilities: {drop: [ALL]}
      - name: agent
        image: registry.example/agent:1
        resources:
          requests:
            cpu: 1
            memory: 1Gi
        securityContext:
          privileged: true
    """


def test_reasons_stand_under_the_hunk_that_they_explain():
    assert diff(TWO_PLACES) == dedent(
        """\
        --- <stdin> Pod default/two
        +++ <stdin> Pod default/two, policy standard
        @@ -14,6 +14,7 @@
               readOnlyRootFilesystem: true
               seccompProfile: {type: RuntimeDefault}
               capabilities: {drop: [ALL]}
        +      runAsNonRoot: true
           - name: agent
             image: registry.example/agent:1
             resources:
          # runAsNonRoot (app): the kubelet refuses to start it as root
        @@ -22,3 +23,5 @@
                 memory: 1Gi
             securityContext:
               privileged: true
        +      seccompProfile:
        +        type: RuntimeDefault
          # seccompProfile (agent): unusual system calls are filtered
          held back allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem on agent: the container is privileged
          held back runAsNonRoot on agent: the container is privileged
        """
    )


def test_a_reason_that_several_containers_share_is_one_line():
    out = diff(DEPLOYMENT + "      - name: other\n        image: registry.example/other:1\n")

    assert "  # runAsNonRoot (app, other): the kubelet refuses to start it as root\n" in out


def test_the_removal_of_the_injected_token_is_explained_where_it_happens():
    out = diff("""\
        apiVersion: v1
        kind: Pod
        metadata: {name: web, annotations: {hardener.dev/opt-out: "readOnlyRootFilesystem, resources"}}
        spec:
          containers:
          - name: app
            image: x
            env: [{name: A, value: a}, {name: B, value: b}, {name: C, value: c}, {name: D, value: d}]
            volumeMounts:
            - {name: kube-api-access-abcde, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
          priority: 0
          enableServiceLinks: true
          dnsPolicy: ClusterFirst
          restartPolicy: Always
          schedulerName: default-scheduler
          terminationGracePeriodSeconds: 30
          preemptionPolicy: PreemptLowerPriority
          volumes:
          - name: kube-api-access-abcde
            projected:
              sources:
              - serviceAccountToken: {path: token}
              - configMap: {name: kube-root-ca.crt}
        """)

    first, second = out.split("@@ -")[1:]
    assert "  # automountServiceAccountToken (app): the token that the API server injected\n" in first
    assert "  # automountServiceAccountToken (the pod): the token that the API server injected\n" in second
    assert "  # automountServiceAccountToken (the pod): the API server adds no token\n" in second
    assert "  opted out of readOnlyRootFilesystem, resources on the pod\n" in second


def test_comments_and_style_of_the_file_make_no_noise():
    out = diff("""\
        apiVersion: v1   # a comment
        kind: Pod
        metadata:
            name: "web"
            annotations: {hardener.dev/opt-out: 'readOnlyRootFilesystem'}
        spec:
            # two
            containers:
                -   name: app   # three
                    command: ["sh", "-c", "echo one; echo two"]
        """)

    assert not [line for line in out.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert "         -   name: app   # three\n" in out
    assert "+                        -   ALL\n" in out


def test_flow_style_grows_in_its_line():
    out = diff("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: app, securityContext: {privileged: true}}]}\n")

    removed, added = (line for line in out.splitlines() if line[:5] in {"-spec", "+spec"})
    assert removed == "-spec: {containers: [{name: app, securityContext: {privileged: true}}]}"
    assert added.startswith("+spec: {containers: [{name: app, securityContext: {privileged: true, seccompProfile: {")


def test_lines_are_those_of_the_file_before_and_after():
    result = hardener("preview", "-", stdin=f"# one\n---\n{DEPLOYMENT}---\n{DEPLOYMENT}")

    first, second = (line for line in result.out.splitlines() if line.startswith("@@"))
    length = len(DEPLOYMENT.splitlines())
    assert first.startswith(f"@@ -{length},3 +{length},")
    grown = int(first.split("+")[1].split(",")[1].split()[0]) - 3
    assert second.startswith(f"@@ -{2 * length + 1},3 +{2 * length + 1 + grown},")


def test_each_item_of_a_list_shows_its_own_lines_only():
    items = "".join(
        f"- apiVersion: v1\n  kind: Pod\n  metadata: {{name: p{number}}}\n  spec:\n    containers:\n    - name: c{number}\n"
        for number in range(2)
    )

    out = diff(f"apiVersion: v1\nkind: List\nitems:\n{items}")

    first, second = out.split("--- <stdin> Pod default/p1\n")
    assert ("p0" in first, "c1" in first, "p1" in second, "c0" in second) == (True, False, True, False)
    assert first.count("runAsNonRoot: true") == second.count("runAsNonRoot: true") == 1


def test_lines_that_are_too_long_to_compare_are_shown_as_a_dump():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "x" * 400}]}}

    out = diff(json.dumps(pod))

    assert "\n  not the lines of the file: they are too long\n@@ " in out
    assert "+  automountServiceAccountToken: false\n" in out


def test_what_an_alias_brings_in_is_shown_as_a_dump():
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a"}]}}

    out = diff(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [pod, pod]}))

    notes = [line for line in out.splitlines() if line.startswith("  not the lines")]
    assert notes == ["  not the lines of the file: they are changed where what its alias stands for is written"]
    assert out.count("  # runAsNonRoot (a): ") == 2


def test_only_what_can_be_printed_is_printed():
    out = diff("""\
        apiVersion: v1
        kind: Pod
        metadata: {name: "a\\e[31mb", annotations: {hardener.dev/opt-out: "x\\e[2J"}}
        spec: {containers: [{name: "c\\u202ed", image: x}]}
        """)

    assert out
    assert all(line.isprintable() for line in out.splitlines())


def test_an_object_with_remarks_but_no_change_is_named():
    out = diff("""\
        apiVersion: v1
        kind: Pod
        metadata: {name: quiet, annotations: {hardener.dev/opt-out: "*"}}
        spec: {containers: [{name: app, image: x}]}
        """)

    assert out.splitlines()[0] == "=== <stdin> Pod default/quiet: unchanged"
    assert (
        "  opted out of readOnlyRootFilesystem, resources, runAsNonRoot, seccompProfile on the pod" in out.splitlines()
    )


def test_an_opt_out_on_the_workload_itself_is_pointed_out():
    manifest = CRON_JOB.replace("{name: nightly}", "{name: nightly, annotations: {hardener.dev/opt-out: resources}}")
    manifest = manifest.replace(
        "  jobTemplate:\n", '  jobTemplate:\n    metadata: {annotations: {opt-out.hardener.dev/job: "resources"}}\n'
    )

    out = diff(manifest)

    assert "  hardener.dev/opt-out in metadata does nothing: move it to the pod template\n" in out
    assert "  opt-out.hardener.dev/job in spec.jobTemplate.metadata does nothing: move it to the pod template\n" in out
    assert "  # resources (job): " in out


def test_an_opt_out_for_a_container_that_does_not_exist_is_pointed_out():
    out = diff("""\
        apiVersion: v1
        kind: Pod
        metadata: {annotations: {opt-out.hardener.dev/sidecar: resources, opt-out.hardener.dev/app: resources}}
        spec: {containers: [{name: app, image: x}]}
        """)

    notes = [line for line in out.splitlines() if "names a container" in line]
    assert notes == ["  opt-out.hardener.dev/sidecar names a container that the pod does not have"]


GROWN_LIST = """\
kind: Pod
apiVersion: v1
metadata: {name: bare}
spec:
  containers:
  - name: app
    securityContext: {capabilities: {drop: [NET_RAW]}}
"""


def test_a_bare_pod_whose_list_grew_is_told_that_applying_it_again_can_be_refused():
    assert "  applying this unchanged file again after the pod was made can be refused: " in diff(GROWN_LIST)


def test_a_bare_pod_whose_list_is_new_is_told_nothing():
    assert "applying this unchanged file again" not in diff(
        GROWN_LIST.replace("{capabilities: {drop: [NET_RAW]}}", "{}")
    )


def test_a_workload_whose_list_grew_is_told_nothing():
    manifest = DEPLOYMENT + "        securityContext: {capabilities: {drop: [NET_RAW]}}\n"

    assert "applying this unchanged file again" not in diff(manifest)
    assert "-        securityContext: {capabilities: {drop: [NET_RAW]}}\n" in diff(manifest)


def test_nothing_is_printed_for_an_object_that_stays_as_it_is():
    assert diff("{apiVersion: v1, kind: Service, metadata: {name: web}}") == ""


def test_the_numbers_of_a_hunk_are_those_of_diff():
    lines = section(diff(TWO_PLACES), "@@ -22", "  #")

    assert lines[0] == "@@ -22,3 +23,5 @@"
    assert sum(line.startswith((" ", "-")) for line in lines[1:]) == 3
    assert sum(line.startswith((" ", "+")) for line in lines[1:]) == 5
