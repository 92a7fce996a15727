"""What a control's settings refuse, in words that a configuration file's reader can show."""

import dataclasses

import pytest

from hardener.controls import CATALOGUE
from hardener.errors import QuantityError

MISTAKES = [
    ("readOnlyRootFilesystem", {"writablePaths": ("tmp",)}, "writablePaths: 'tmp' is not a plain absolute path"),
    ("readOnlyRootFilesystem", {"writablePaths": ("/tmp/",)}, "writablePaths: '/tmp/' is not a plain absolute path"),
    ("readOnlyRootFilesystem", {"writablePaths": ("/a/../b",)}, "writablePaths: '/a/../b' is not a plain"),
    ("readOnlyRootFilesystem", {"writablePaths": ("",)}, "writablePaths: '' is not a plain absolute path"),
    ("readOnlyRootFilesystem", {"writablePaths": ("/",)}, "writablePaths: '/' belongs to the container runtime"),
    ("readOnlyRootFilesystem", {"writablePaths": ("/proc",)}, "writablePaths: '/proc' belongs to the container"),
    ("readOnlyRootFilesystem", {"writablePaths": ("/dev/shm",)}, "writablePaths: '/dev/shm' belongs to the container"),
    (
        "readOnlyRootFilesystem",
        {"writablePaths": ("/var/tmp", "/var")},
        "writablePaths: '/var/tmp' lies inside another",
    ),
    ("readOnlyRootFilesystem", {"writablePaths": ("/tmp", "/run", "/tmp")}, "writablePaths: '/tmp' stands twice"),
    ("readOnlyRootFilesystem", {"sizeLimit": 0}, "sizeLimit: must be above zero; leave it out for no limit"),
    ("readOnlyRootFilesystem", {"sizeLimit": "-1Gi"}, "sizeLimit: must be above zero"),
    ("resources", {"requests": {"gpu": "1"}}, "requests.gpu: defaults exist for cpu, memory, ephemeral-storage only"),
    ("resources", {"limits": {"nvidia.com/gpu": "1"}}, "limits.nvidia.com/gpu: defaults exist for cpu, memory"),
    ("resources", {"requests": {"cpu": "0"}}, "requests.cpu: must be above zero; use null for no default"),
    ("resources", {"limits": {"cpu": "-1"}}, "limits.cpu: must be above zero; use null for no default"),
    (
        "resources",
        {"requests": {"memory": "1025Mi"}, "limits": {"memory": "1Gi"}},
        "requests.memory: is above limits.memory, which the API server refuses",
    ),
    ("resources", {"limits": {"memory": "15Mi"}}, "limits.memory: must be at least 16Mi"),
    ("seccompProfile", {"type": "Localhost"}, "localhostProfile belongs to type Localhost: give both or neither"),
    ("seccompProfile", {"localhostProfile": "p.json"}, "localhostProfile belongs to type Localhost: give both"),
    ("seccompProfile", {"type": "Localhost", "localhostProfile": ""}, "localhostProfile belongs to type Localhost"),
]


@pytest.mark.parametrize(("control", "values", "message"), MISTAKES)
def test_settings_that_no_pod_could_run_with_are_refused(control, values, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is compared below
        CATALOGUE[control].settings(**values)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("control", "values"),
    [
        ("readOnlyRootFilesystem", {"writablePaths": ("/tmp", "/tmpfiles", "/var/cache", "/device"), "sizeLimit": "1"}),
        ("readOnlyRootFilesystem", {"writablePaths": ()}),
        ("resources", {"requests": {"memory": "1024Mi"}, "limits": {"memory": "1Gi", "cpu": 1}}),
        ("resources", {"limits": {"memory": "16Mi"}}),
        ("resources", {"requests": {"ephemeral-storage": "1G"}}),
        ("seccompProfile", {"type": "Localhost", "localhostProfile": "p.json"}),
    ],
)
def test_settings_at_the_edge_are_taken(control, values):
    settings = CATALOGUE[control].settings(**values)

    assert {field.name for field in dataclasses.fields(settings)} >= values.keys()


@pytest.mark.parametrize(
    ("control", "values"),
    [("resources", {"limits": {"cpu": "much"}}), ("readOnlyRootFilesystem", {"sizeLimit": "1e3Mi"})],
)
def test_an_unreadable_quantity_is_an_error_of_its_own(control, values):
    with pytest.raises(QuantityError, match=r"is not a quantity"):
        CATALOGUE[control].settings(**values)


@pytest.mark.parametrize("name", CATALOGUE)
def test_settings_are_valid_by_default_and_never_change(name):
    settings = CATALOGUE[name].settings()

    assert settings == CATALOGUE[name].settings()
    for field in dataclasses.fields(settings):
        assert not isinstance(getattr(settings, field.name), list | dict | set)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, field.name, None)


def test_tables_of_settings_are_read_only_and_hold_text():
    settings = CATALOGUE["resources"].settings(requests={"cpu": 1})

    assert settings.requests == {"cpu": "1"}
    with pytest.raises(TypeError):
        settings.requests["cpu"] = "2"
