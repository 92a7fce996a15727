"""Traps 17 to 21 and 83: pods that run on Windows (semantics.md 3.2, 4.6)."""

from hardener.controls import CATALOGUE
from hardener.model import ON_WINDOWS
from tests.pods import Hardened, run_yaml

LINUX_ONLY = {
    "allowPrivilegeEscalation",
    "capabilities",
    "readOnlyRootFilesystem",
    "runAsNonRoot",
    "seccompProfile",
}


def assert_only_token_and_resources(hardened: Hardened) -> None:
    """Nothing that the API server forbids on Windows is written, and each control that stays away says so."""
    assert {name for name, control in CATALOGUE.items() if control.linux_only} == LINUX_ONLY
    assert hardened.all_skips() == {control: {"pod": ON_WINDOWS} for control in LINUX_ONLY}
    before, after = hardened.before["spec"], hardened.after["spec"]
    assert after["automountServiceAccountToken"] is False
    for old, new in zip(before["containers"], after["containers"], strict=True):
        assert new == {**old, "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}}
    kept = {key: value for key, value in after.items() if key not in ("containers", "automountServiceAccountToken")}
    assert kept == {key: value for key, value in before.items() if key != "containers"}


def test_trap_17_os_windows_gets_token_and_resources_only():
    assert_only_token_and_resources(
        run_yaml("spec: {os: {name: windows}, containers: [{name: app, image: iis}, {name: log, image: log}]}")
    )


def test_trap_18_a_node_selector_for_windows_counts_as_well():
    for label in ("kubernetes.io/os", "beta.kubernetes.io/os"):
        assert_only_token_and_resources(
            run_yaml(f"spec: {{nodeSelector: {{{label}: windows}}, containers: [{{name: app, image: iis}}]}}")
        )


def test_trap_19_the_selector_that_a_runtime_class_merged_is_seen():
    assert_only_token_and_resources(
        run_yaml("""
            spec:
              runtimeClassName: win
              nodeSelector: {disk: fast, kubernetes.io/os: windows}
              tolerations: [{key: os, operator: Equal, value: windows, effect: NoSchedule}]
              containers: [{name: app, image: iis}]
        """)
    )


def test_trap_20_a_windows_user_name_makes_it_a_windows_pod():
    options = "{windowsOptions: {runAsUserName: ContainerAdministrator}}"
    assert_only_token_and_resources(
        run_yaml(f"spec: {{securityContext: {options}, containers: [{{name: app, image: iis}}]}}")
    )
    assert_only_token_and_resources(
        run_yaml(f"spec: {{containers: [{{name: app, image: iis, securityContext: {options}}}]}}")
    )


def test_trap_21_a_host_process_pod_gets_token_and_resources_only():
    assert_only_token_and_resources(
        run_yaml("""
            spec:
              os: {name: windows}
              hostNetwork: true
              securityContext: {windowsOptions: {hostProcess: true, runAsUserName: "NT AUTHORITY\\\\SYSTEM"}}
              containers: [{name: app, image: agent}]
        """)
    )


def test_trap_83_the_os_is_never_written():
    hardened = run_yaml("spec: {containers: [{name: app, image: web, lifecycle: {stopSignal: SIGUSR1}}]}")

    assert "os" not in hardened.after["spec"]
    assert hardened.container("app")["lifecycle"] == {"stopSignal": "SIGUSR1"}
    assert hardened.security("app")["runAsNonRoot"] is True
