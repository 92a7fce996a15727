"""A control plane and a registered webhook for all end-to-end tests of a worker, and namespaces for each test."""

import pytest
import uvloop
from xdist.scheduler import LoadScopeScheduling

from tests.e2e.binaries import CONTROL_PLANE, NODE, OLDEST, VERSION, MissingError, binaries
from tests.e2e.control_plane import ControlPlane
from tests.e2e.documents import Documents
from tests.e2e.double import Double
from tests.e2e.node import require_node
from tests.e2e.registration import LABEL, register_hardener
from tests.e2e.webhook import Hardener

ON_NODE = "on_node"
"""The folder of the tests that need a node."""


def pytest_addoption(parser):
    parser.addoption("--kubernetes-version", default=VERSION, help=f"`oldest` is {OLDEST} (default: {VERSION})")
    parser.addoption("--no-node", action="store_true", help="leave out what needs a node, and thereby root")
    parser.addoption("--write-docs", action="store_true", help="write into the documentation what the run has seen")


def pytest_configure(config):
    """What is missing is told once and before all, and what has to be built is built outside of any test's time."""
    if hasattr(config, "workerinput"):
        return
    with_node = not config.getoption("--no-node")
    try:
        if with_node:
            require_node()
        binaries(kubernetes_version(config), NODE if with_node else CONTROL_PLANE)
    except MissingError as error:
        hint = "; --no-node leaves these tests out" if with_node and "node" in str(error) else ""
        raise pytest.UsageError(f"{error}{hint}") from error


def pytest_ignore_collect(collection_path, config):
    """`--no-node` leaves out the folder; None has others decide."""
    return True if collection_path.name == ON_NODE and config.getoption("--no-node") else None


class Scheduling(LoadScopeScheduling):
    """One worker runs all of a file, which shares its fixtures, and one runs all that need the node."""

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0]
        return ON_NODE if ON_NODE in path.split("/") else path


@pytest.hookimpl(optionalhook=True)  # there may be no xdist
def pytest_xdist_make_scheduler(config, log):
    """In place of `--dist loadgroup`: pytest-xdist 3.8 no longer finds its own marks in items of pytest 9.2."""
    return Scheduling(config, log)


def pytest_asyncio_loop_factories(config, item):
    """The loop that is used in earnest; asyncio's own complains of connections that are cut off in their handshake."""
    return {"uvloop": uvloop.new_event_loop}


def kubernetes_version(config):
    asked = config.getoption("--kubernetes-version")
    return OLDEST if asked == "oldest" else asked


@pytest.fixture(scope="session")
def control_plane(request):
    with ControlPlane(version=kubernetes_version(request.config)) as started:
        yield started


@pytest.fixture(scope="session")
def hardener(control_plane):
    """The real webhook, registered as `zz-hardener` for namespaces with the label."""
    with Hardener() as started:
        register_hardener(control_plane, started)
        yield started


@pytest.fixture(scope="module")
def double():
    """A webhook of the tests' own, for one module."""
    with Double() as started:
        yield started


@pytest.fixture
def plain_namespace(control_plane):
    """The name of a fresh namespace without the webhook."""
    return control_plane.make_namespace()


@pytest.fixture
def hardened_namespace(control_plane, hardener):
    """The name of a fresh namespace with the webhook."""
    return control_plane.make_namespace(labels={LABEL: "true"})


@pytest.fixture
def documents(request):
    """The pages that hold what runs have seen: compared with it, or written (`--write-docs`)."""
    return Documents(write=request.config.getoption("--write-docs"))
