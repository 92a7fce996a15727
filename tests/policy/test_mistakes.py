"""Every mistake that a configuration can hold, and the line that names it."""

from time import perf_counter

import pytest

from hardener.errors import ConfigError
from hardener.policy.builtin import BUILTIN
from hardener.policy.reading import parse_config
from tests.policy.configs import HEADER, mistakes, read

KEYS = [
    ("polices: {}", "3: polices: unknown key; did you mean policies?"),
    ("rules: []",
     "3: rules: unknown key; known here: "
     "apiVersion, kind, policies, namespaces, default, selectable, exempt, templates, onError"),
    ("policies: {a: {control: {}}}", "3: policies.a.control: unknown key; did you mean controls?"),
    ("selectables: []", "3: selectables: unknown key; did you mean selectable?"),
    ("exempt: {username: [a]}", "3: exempt.username: unknown key; did you mean usernames?"),
    ("exempt:\n  namespaces: [a]",
     "4: exempt.namespaces: unknown key; known here: usernames, groups, runtimeClasses, priorityClasses, containers"),
    ("exempt:\n  containers:\n  - {name: a, images: b}",
     "5: exempt.containers[0].images: unknown key; did you mean image?"),
    ("policies:\n  a: {controls: {resources: {explicit: override}}}",
     "4: policies.a.controls.resources.explicit: unknown key; explicit is a setting of allowPrivilegeEscalation, "
     "capabilities, readOnlyRootFilesystem, runAsNonRoot, seccompProfile"),
    ("policies:\n  a: {controls: {automountServiceAccountToken: {explicit: keep}}}",
     "4: policies.a.controls.automountServiceAccountToken.explicit: unknown key; explicit is a setting of "
     "allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, runAsNonRoot, seccompProfile"),
    ("policies:\n  a: {controls: {capabilities: {writablePaths: [/tmp]}}}",
     "4: policies.a.controls.capabilities.writablePaths: unknown key; "
     "writablePaths is a setting of readOnlyRootFilesystem"),
    ("policies:\n  a: {Mode: enforce}", "4: policies.a.Mode: unknown key; did you mean mode?"),
    ("policies:\n  a:\n    controls:\n      runAsRoot: {}",
     "6: policies.a.controls.runAsRoot: unknown key; did you mean runAsNonRoot?"),
    ("policies:\n  a: {controls: {capabilities: {rootContainer: hold}}}",
     "4: policies.a.controls.capabilities.rootContainer: unknown key; did you mean rootContainers?"),
    ("policies:\n  a: {optOut: {reason: true}}",
     "4: policies.a.optOut.reason: unknown key; did you mean requireReason?"),
    ("namespaces:\n- name: [a]\n  names: [a]\n  policy: none", "4: namespaces[0].name: unknown key; did you mean names?"),
    ("default: none\nonError: deny\ndefault: none", "5: default: stands twice, first in line 3"),
    ("policies:\n  a: {mode: enforce}\n  a: {}", "5: policies.a: stands twice, first in line 4"),
    ('"pol\\nicies": {}', "3: 'pol\\nicies': unknown key; did you mean policies?"),
    ("namespaces:\n- names: [a]", "4: namespaces[0].policy: is missing: it must be a text"),
]  # fmt: skip

VALUES = [
    ("policies: []", "3: policies: must be a mapping, not a list"),
    ("policies: {a: }", "3: policies.a: must be a mapping, not null"),
    ("policies: {a: standard}", "3: policies.a: must be a mapping, not the text 'standard'"),
    ("namespaces: {}", "3: namespaces: must be a list, not a mapping"),
    ("namespaces: [a]", "3: namespaces[0]: must be a mapping, not the text 'a'"),
    ("policies: {a: {mode: enforced}}", "3: policies.a.mode: 'enforced' is not known here; did you mean enforce?"),
    ("policies: {a: {mode: off}}",
     "3: policies.a.mode: must be one of enforce, dry-run, disabled, not off, which YAML reads as a boolean"),
    ("policies: {a: {warnings: [none]}}",
     "3: policies.a.warnings: must be one of problems, changes, none, not a list"),
    ("policies: {a: {warnings: all}}",
     "3: policies.a.warnings: 'all' is not known here; known here: problems, changes, none"),
    ("policies: {a: {hostAgents: keep}}", "3: policies.a.hostAgents: 'keep' is not known here; known here: harden, hold"),
    ("policies: {a: {controls: [resources]}}", "3: policies.a.controls: must be a mapping, not a list"),
    ("policies: {a: {controls: {resources: yes}}}",
     "3: policies.a.controls.resources: must be a mapping, not yes, which YAML reads as a boolean"),
    ("policies: {a: {controls: {readOnlyRootFilesystem: {writablePaths: /tmp}}}}",
     "3: policies.a.controls.readOnlyRootFilesystem.writablePaths: must be a list, not the text '/tmp'"),
    ("policies: {a: {controls: {readOnlyRootFilesystem: {sizeLimit: [1]}}}}",
     "3: policies.a.controls.readOnlyRootFilesystem.sizeLimit: must be a quantity, not a list"),
    ("policies: {a: {controls: {resources: {requests: {cpu: true}}}}}",
     "3: policies.a.controls.resources.requests.cpu: "
     "must be a quantity, not true, which YAML reads as a boolean: quote it to mean the word"),
    ("policies: {a: {optOut: {controls: some}}}",
     "3: policies.a.optOut.controls: 'some' is not known here; known here: all, none, or a list"),
    ("policies: {a: {optOut: {controls: [resource]}}}",
     "3: policies.a.optOut.controls[0]: 'resource' is not known here; did you mean resources?"),
    ("policies: {a: {optOut: {requireReason: yes}}}",
     "3: policies.a.optOut.requireReason: must be true or false, not yes, which YAML reads as a boolean"),
    ("policies: {a: {optOut: {requireReason: 'true'}}}",
     "3: policies.a.optOut.requireReason: must be true or false, not the text 'true'"),
    ("policies: {a: {optOut: {maxDays: 0}}}",
     "3: policies.a.optOut.maxDays: must be a whole number from 1 to 36500, not the number 0"),
    ("policies: {a: {optOut: {maxDays: 1.5}}}",
     "3: policies.a.optOut.maxDays: must be a whole number from 1 to 36500, not the number 1.5"),
    ("policies: {a: {optOut: {maxDays: 90d}}}",
     "3: policies.a.optOut.maxDays: must be a whole number from 1 to 36500, not the text '90d'"),
    ("policies: {a: {optOut: {maxDays: 0x10}}}",
     "3: policies.a.optOut.maxDays: must be a whole number from 1 to 36500, not the text '0x10'"),
    ("policies: {a: {explicit: overide}}", "3: policies.a.explicit: 'overide' is not known here; did you mean override?"),
    ("policies: {a: {explicit: yes}}",
     "3: policies.a.explicit: must be one of keep, override, not yes, which YAML reads as a boolean"),
    ("policies: {a: {controls: {runAsNonRoot: {explicit: [override]}}}}",
     "3: policies.a.controls.runAsNonRoot.explicit: must be one of keep, override, not a list"),
    ("selectable: standard", "3: selectable: must be a list, not the text 'standard'"),
    ("selectable: {standard: true}", "3: selectable: must be a list, not a mapping"),
    ("selectable:\n- standard\n-", "5: selectable[1]: must be a text, not null"),
    ("selectable: [no]",
     "3: selectable[0]: must be a text, not no, which YAML reads as a boolean: quote it to mean the word"),
    ("exempt: [istio-proxy]", "3: exempt: must be a mapping, not a list"),
    ("exempt: {usernames: alice}", "3: exempt.usernames: must be a list, not the text 'alice'"),
    ("exempt: {groups: [7]}", "3: exempt.groups[0]: must be a text, not the number 7: quote it to mean the word"),
    ("exempt: {runtimeClasses: {gvisor: true}}", "3: exempt.runtimeClasses: must be a list, not a mapping"),
    ("exempt: {priorityClasses: [null]}", "3: exempt.priorityClasses[0]: must be a text, not null"),
    ("exempt: {containers: {name: a, image: b}}", "3: exempt.containers: must be a list, not a mapping"),
    ("exempt: {containers: [istio-proxy]}", "3: exempt.containers[0]: must be a mapping, not the text 'istio-proxy'"),
    ("exempt: {containers: [{name: 7}]}",
     "3: exempt.containers[0].name: must be a text, not the number 7: quote it to mean the word"),
    ("exempt: {containers: [{name: a, image: [b]}]}", "3: exempt.containers[0].image: must be a text, not a list"),
    ("onError: ignore", "3: onError: 'ignore' is not known here; known here: allow, deny"),
    ("default: 5", "3: default: must be a text, not the number 5: quote it to mean the word"),
    ("default: no", "3: default: must be a text, not no, which YAML reads as a boolean: quote it to mean the word"),
]  # fmt: skip

POLICIES = [
    ("policies:\n  a:\n    extends: standrad", "5: policies.a.extends: there is no policy 'standrad'; did you mean standard?"),
    ("policies: {a: {extends: x}}",
     "3: policies.a.extends: there is no policy 'x'; known here: a, none, observe, compatible, standard"),
    ("policies:\n  a:\n    extends: a", "5: policies.a.extends: leads back to itself: a -> a"),
    ("policies:\n  a: {extends: b}\n  b: {extends: c}\n  c: {extends: b}",
     "5: policies.b.extends: leads back to itself: b -> c -> b"),
    ("policies:\n  none: {}",
     "4: policies.none: is the name of a built-in policy: choose another, and extend this one"),
    ("policies: {a b: {}}", "3: policies.a b: is no name for a policy: use up to 63 letters, digits, -, _ and ."),
    ("policies: {a: {extends: none, controls: {resources: }}}",
     "3: policies.a.controls.resources: null takes a control away, and what this policy extends does not run it; "
     "write {} to run it"),
    ("selectable: [standrad]", "3: selectable[0]: there is no policy 'standrad'; did you mean standard?"),
    ("policies: {mine: {}}\nselectable:\n- mine\n- none\n- ''",
     "7: selectable[2]: there is no policy ''; known here: mine, none, observe, compatible, standard"),
    ("default: productoin\npolicies: {production: {}}",
     "3: default: there is no policy 'productoin'; did you mean production?"),
]  # fmt: skip

EXEMPTIONS = [
    ("usernames: ['']", "usernames[0]: '' fits nothing: it is compared as it is, without globs"),
    ("groups: [a, 'system:*']", "groups[1]: 'system:*' fits nothing: it is compared as it is, without globs"),
    ("runtimeClasses: ['*']", "runtimeClasses[0]: '*' fits nothing: it is compared as it is, without globs"),
    ("priorityClasses: ['system-*']",
     "priorityClasses[0]: 'system-*' fits nothing: it is compared as it is, without globs"),
    ("containers: [{name: istio-proxy}]",
     "containers[0]: needs an image too, with its registry: anyone can name a container like this one"),
    ("containers: [{name: istio-proxy, image: }]",
     "containers[0]: needs an image too, with its registry: anyone can name a container like this one"),
    ("containers: [{name: istio-proxy, image: ''}]",
     "containers[0]: needs an image too, with its registry: anyone can name a container like this one"),
    ("containers: [{image: 'docker.io/istio/proxyv2:*'}]", "containers[0].name: must be the name of the container"),
    ("containers: [{name: '', image: 'docker.io/istio/proxyv2:*'}]",
     "containers[0].name: must be the name of the container"),
    ("containers: [{name: 'istio-*', image: 'docker.io/istio/proxyv2:*'}]",
     "containers[0].name: 'istio-*' fits no container: use lower-case letters, digits and -, without globs"),
    ("containers: [{name: Istio, image: 'docker.io/istio/proxyv2:*'}]",
     "containers[0].name: 'Istio' fits no container: use lower-case letters, digits and -, without globs"),
    ("containers: [{name: a, image: 'istio/proxyv2:*'}]",
     "containers[0].image: 'istio/proxyv2:*' does not name its registry, and anyone can push an image of that name to "
     "another one: write it in full, such as docker.io/istio/proxyv2:*"),
    ("containers: [{name: a, image: docker.io/istio/proxyv2}]",
     "containers[0].image: 'docker.io/istio/proxyv2' names no tag: write docker.io/istio/proxyv2:* for every tag"),
]  # fmt: skip

SETTINGS = [
    ("resources: {requests: {cpu: 1 core}}",
     "resources.requests.cpu: '1 core' is not a quantity: write a number with an optional suffix, "
     "such as 250m, 64Mi or 1Gi"),
    ("resources: {requests: {cpu: 1:30}}",
     "resources.requests.cpu: '1:30' is not a quantity: write a number with an optional suffix, "
     "such as 250m, 64Mi or 1Gi"),
    ("resources: {limits: {cpu: 0}}", "resources.limits.cpu: must be above zero; use null for no default"),
    ("resources: {limits: {memory: 8Mi}, requests: null}",
     "resources.limits.memory: must be at least 16Mi, or container runtimes refuse to start"),
    ("resources: {requests: {memory: 2Gi}}",
     "resources.requests.memory: is above limits.memory, which the API server refuses"),
    ("resources: {limits: {memory: 32Mi}}",
     "resources.limits.memory: requests.memory: is above limits.memory, which the API server refuses"),
    ("readOnlyRootFilesystem: {writablePaths: [tmp]}",
     "readOnlyRootFilesystem.writablePaths: 'tmp' is not a plain absolute path such as /var/cache"),
    ("readOnlyRootFilesystem: {writablePaths: [/proc/x]}",
     "readOnlyRootFilesystem.writablePaths: '/proc/x' belongs to the container runtime"),
    ("readOnlyRootFilesystem: {writablePaths: [/tmp, /tmp]}",
     "readOnlyRootFilesystem.writablePaths: '/tmp' stands twice, and a container mounts a path only once"),
    ("readOnlyRootFilesystem: {sizeLimit: 0}",
     "readOnlyRootFilesystem.sizeLimit: must be above zero; leave it out for no limit"),
    ("readOnlyRootFilesystem: {sizeLimit: big}",
     "readOnlyRootFilesystem.sizeLimit: 'big' is not a quantity: write a number with an optional suffix, "
     "such as 250m, 64Mi or 1Gi"),
    ("seccompProfile: {type: Localhost}",
     "seccompProfile.type: localhostProfile belongs to type Localhost: give both or neither"),
    ("seccompProfile: {localhostProfile: a.json}",
     "seccompProfile.localhostProfile: localhostProfile belongs to type Localhost: give both or neither"),
]  # fmt: skip

RULES = [
    ("{policy: none}",
     "[0]: names no namespaces: give names, matchLabels or matchExpressions, or use default for all others"),
    ("{names: [], policy: none}", "[0].names: is empty: leave it out, or say what must match"),
    ("{names: [a], matchLabels: {}, policy: none}", "[0].matchLabels: is empty: leave it out, or say what must match"),
    ("{names: [a], policy: nnone}", "[0].policy: there is no policy 'nnone'; did you mean none?"),
    ("{names: [a, Team], policy: none}",
     "[0].names[1]: 'Team' fits no namespace: use lower-case letters, digits, -, and the globs * ?"),
    ("{names: ['[ab]'], policy: none}",
     "[0].names[0]: '[ab]' fits no namespace: use lower-case letters, digits, -, and the globs * ?"),
    ("{names: [7], policy: none}", "[0].names[0]: must be a text, not the number 7: quote it to mean the word"),
    ("{names: a, policy: none}", "[0].names: must be a list, not the text 'a'"),
    ("{matchLabels: {a: true}, policy: none}",
     "[0].matchLabels.a: must be a text, not true, which YAML reads as a boolean: quote it to mean the word"),
    ("{matchLabels: {a: x y}, policy: none}",
     "[0].matchLabels.a: 'x y' is not a label value: up to 63 letters, digits, -, _ and ."),
    ("{matchLabels: {-a: x}, policy: none}",
     "[0].matchLabels.-a: '-a' is not a label key such as environment or example.com/tier"),
    ("{matchLabels: {/a: x}, policy: none}",
     "[0].matchLabels./a: '/a' is not a label key such as environment or example.com/tier"),
    ("{matchExpressions: [{key: a, operator: in, values: [b]}], policy: none}",
     "[0].matchExpressions[0].operator: 'in' is not known here; did you mean In?"),
    ("{matchExpressions: [{key: a, operator: In}], policy: none}",
     "[0].matchExpressions[0].values: operator In needs at least one value"),
    ("{matchExpressions: [{key: a, operator: Exists, values: [b]}], policy: none}",
     "[0].matchExpressions[0].values: operator Exists takes no values"),
    ("{matchExpressions: [{operator: Exists}], policy: none}",
     "[0].matchExpressions[0].key: is missing: it must be a text"),
    ("{matchExpressions: [{key: a b, operator: Exists}], policy: none}",
     "[0].matchExpressions[0].key: 'a b' is not a label key such as environment or example.com/tier"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), [*KEYS, *VALUES, *POLICIES])
def test_a_mistake_is_named_with_its_line_and_key(body, expected):
    assert mistakes(body) == [expected]


@pytest.mark.parametrize(("control", "expected"), SETTINGS)
def test_what_a_control_refuses_is_named_with_its_line_and_key(control, expected):
    assert mistakes(f"policies:\n  a:\n    controls:\n      {control}") == [f"6: policies.a.controls.{expected}"]


@pytest.mark.parametrize(("exempt", "expected"), EXEMPTIONS)
def test_a_mistake_in_an_exemption_is_named_with_its_line_and_key(exempt, expected):
    assert mistakes(f"default: none\nexempt:\n  {exempt}") == [f"5: exempt.{expected}"]


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_a_mistake_in_a_rule_is_named_with_its_line_and_key(rule, expected):
    assert mistakes(f"namespaces:\n- {rule}") == [f"4: namespaces{expected}"]


def test_all_mistakes_are_named_together_in_the_order_of_the_file():
    found = mistakes("""
        namespaces:
        - names: [7, Team]
          policy: prod
        default: nowhere
        policies:
          a:
            mode: on
            controls:
              capabilities: {rootContainers: keep}
              resources:
                requests: {cpu: x, memory: 1Ti, ephemeral-storage: 0}
          b: {extends: a, warnings: some}
          c: {extends: missing}
        """)

    assert [line.split(": ")[:2] for line in found] == [
        ["4", "namespaces[0].names[0]"],
        ["5", "namespaces[0].policy"],
        ["6", "default"],
        ["9", "policies.a.mode"],
        ["11", "policies.a.controls.capabilities.rootContainers"],
        ["13", "policies.a.controls.resources.requests.cpu"],
        ["13", "policies.a.controls.resources.requests.ephemeral-storage"],
        ["13", "policies.a.controls.resources.requests.memory"],
        ["14", "policies.b.warnings"],
        ["15", "policies.c.extends"],
    ]


def test_a_mistake_in_one_item_hides_none_in_the_others():
    found = mistakes("""
        selectable: [7, nowhere, standard, elsewhere]
        exempt:
          groups: [true, '*', developers]
          containers:
          - istio-proxy
          - {nam: a, image: b}
          - {name: linkerd-proxy}
          -
            name: Vault
            image: vault:1
          usernames: [null, '']
        namespaces:
        - shop
        - {policy: nowhere}
        - {nam: a, names: [B], policy: nowhere}
        """)

    assert [line.split(": ")[:2] for line in found] == [
        ["3", "selectable[0]"],
        ["3", "selectable[1]"],
        ["3", "selectable[3]"],
        ["5", "exempt.groups[0]"],
        ["5", "exempt.groups[1]"],
        ["7", "exempt.containers[0]"],
        ["8", "exempt.containers[1].nam"],
        ["9", "exempt.containers[2]"],
        ["11", "exempt.containers[3].name"],
        ["12", "exempt.containers[3].image"],
        ["13", "exempt.usernames[0]"],
        ["13", "exempt.usernames[1]"],
        ["15", "namespaces[0]"],
        ["16", "namespaces[1].policy"],
        ["16", "namespaces[1]"],
        ["17", "namespaces[2].nam"],
        ["17", "namespaces[2].policy"],
        ["17", "namespaces[2].names[0]"],
    ]


@pytest.mark.parametrize(
    "body",
    [
        "selectable:",
        "selectable: []",
        "selectable: [standard, standard]",
        "exempt:",
        "exempt: {}",
        "exempt: {usernames: , groups: , runtimeClasses: , priorityClasses: , containers: }",
        "exempt: {usernames: [], groups: [], runtimeClasses: [], priorityClasses: [], containers: []}",
        "exempt: {usernames: [alice, alice], priorityClasses: [a, a]}",
        "policies: {a: {explicit: , controls: {runAsNonRoot: {explicit: }}}}",
    ],
)
def test_what_is_null_or_empty_or_said_twice_is_no_mistake(body):
    config = read(body)

    assert config.selectable <= {"standard"}
    assert config.default.controls == BUILTIN["standard"].controls


def test_many_mistakes_are_found_in_time_that_grows_with_the_file_only():
    many = 20_000
    started = perf_counter()

    found = mistakes(f"exempt: {{usernames: [{'1,' * many}]}}\nnamespaces: [{'1,' * many}]")

    assert len(found) == 2 * many
    assert perf_counter() - started < 20


def test_a_mistake_is_named_once_where_it_stands_and_not_in_the_policies_that_extend_it():
    found = mistakes("""
        policies:
          a: {controls: {resources: {limits: {memory: 1Mi}, requests: null}}}
          b: {extends: a}
          c: {extends: b, controls: {resources: {limits: {cpu: 1}}}}
        """)

    assert [line.split(": ")[1] for line in found] == ["policies.a.controls.resources.limits.memory"]


def test_a_mistake_in_one_control_hides_none_in_another_policy():
    found = mistakes("""
        policies:
          a: {controls: {resources: {limits: {memory: true}}}}
          b: {controls: {resources: {limits: {memory: 1Mi}, requests: null}}}
        """)

    assert [line.split(": ")[1] for line in found] == [
        "policies.a.controls.resources.limits.memory",
        "policies.b.controls.resources.limits.memory",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: HardenerConfig", ["config.yaml:1: apiVersion: is missing: write apiVersion: hardener.dev/v1"]),
        ("apiVersion: hardener.dev/v1", ["config.yaml:1: kind: is missing: write kind: HardenerConfig"]),
        ("apiVersion: hardener.dev/v2\nkind: HardenerConfig", ["config.yaml:1: apiVersion: must be hardener.dev/v1"]),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\ndata: {}",
            [
                "config.yaml:1: apiVersion: must be hardener.dev/v1",
                "config.yaml:2: kind: must be HardenerConfig",
            ],
        ),
    ],
)
def test_a_file_of_another_kind_is_told_so_and_nothing_else(text, expected):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "config.yaml")

    assert str(caught.value).splitlines() == expected


def test_a_problem_carries_file_line_and_key_as_data():
    with pytest.raises(ConfigError) as caught:
        parse_config(f"{HEADER}onError: maybe\n", "here.yaml")

    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.key) == ("here.yaml", 3, "onError")
