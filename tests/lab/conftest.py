"""Virtual LANs for tests: real programs on hosts that exist only while the test runs.

    @pytest.mark.lab
    def test_udhcpc_gets_an_address(make_lan: MakeLan) -> None:
        udhcpc = needs("udhcpc")                      # skips, with the reason, where it is not installed
        lan = make_lan(server=["10.20.0.1/24"], clients=["00:12:34:ab:45:de", None])
        server = start_server(lan["server"], inventory, tmp_path / "state")      # netprov.lab.server; it is ready
        other = lan["server"].spawn(["dnsmasq", "-d"])
        other.wait_for("started")                     # a pattern in its output; fails if it ends before
        client = lan["client0"]
        result = client.run([udhcpc, "-i", client.interface, "-n", "-q", "-f"], timeout=20)
        assert result.returncode == 0, result.stderr
        wait_until(lambda: client.addresses(), what="an address", timeout=5)
        with client.entered():                        # a socket made here belongs to client0, ever after
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

`needs` and `wait_until` are imported from `tests.lab.conftest`. For other shapes (several networks, VLANs,
loss, a relay) give `make_lan` a `netprov.lab.topology.Topology`. A LAN of three takes about 70 ms. Everything
ends with the test: processes, daemons that forked away, namespaces.

Without root, the test run moves itself into a user namespace before the first test, where the kernel allows.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from netprov.errors import LabError
from netprov.lab.lan import Host, Lan
from netprov.lab.netns import Namespace
from netprov.lab.process import Process, wait_until
from netprov.lab.server import start_server
from netprov.lab.topology import Topology, single_lan
from netprov.pki.store import Store
from netprov.runtime.web.tls import certificate_store
from tests.conftest import become_apart

__all__ = ["PYTHON", "ROOT", "Host", "Lan", "MakeLan", "Process", "needs", "needs_groups", "wait_until"]

PYTHON = sys.executable
ROOT = Path(__file__).parents[2]
"""The repository; `python -m netprov` finds the package when run from here."""

STAGING = ROOT / "config" / "staging.yaml"
STAGING_ADDRESSES = [f"10.20.0.{host}/24" for host in (1, 11, 12, 13, 14)]
PHONES = ["00:12:34:ab:45:de", "00:12:34:ab:45:e0", "00:12:34:ab:45:e2", "02:00:00:00:00:01"]
"""Of config/staging.yaml: a phone of method srv, one of method dhcp, one of method acs; then a stranger."""
STRANGER_ADDRESS = "10.20.0.250/24"

MakeLan = Callable[..., Lan]

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def needs(program: str) -> str:
    """Return the path of a program, or skip the test and say what is missing."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
    if found is None:
        pytest.skip(f"{program} is not installed (tests/lab/packages.txt lists its Debian package)")
    return found


def needs_groups(program: str) -> str:
    """Return the path of a program that changes its groups, or skip: as root of a user namespace nobody may."""
    if Path("/proc/self/setgroups").read_text().strip() == "deny":
        pytest.skip(
            f"{program} changes its groups, which a user namespace forbids: run the tests as root for this"
        )
    return needs(program)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Become root in a user namespace before any test has started a thread, if a lab test will run."""
    if any(item.get_closest_marker("lab") for item in session.items):
        become_apart()


@pytest.fixture(scope="session")
def lab_allowed() -> Iterator[None]:
    """Skip where the kernel does not let this process make namespaces; let programs on hosts be found."""
    try:
        Namespace("probe").close()
    except LabError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("PATH", f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")
        yield


@pytest.fixture(scope="module")
def make_module_lan(lab_allowed: None) -> Iterator[MakeLan]:
    """Return a maker like `make_lan`, of LANs that live as long as the module's tests."""
    yield from _maker()


@pytest.fixture
def make_lan(lab_allowed: None) -> Iterator[MakeLan]:
    """Return a maker of LANs: `make_lan(server=[addresses], clients=[MACs or None])` or `make_lan(topology)`."""
    yield from _maker()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state directory of the server on `staging`."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def ca(state: Path) -> Store:
    """Return the certificates of the server on `staging`."""
    return certificate_store(state)


@pytest.fixture(scope="module")
def staging(make_module_lan: MakeLan, state: Path) -> Lan:
    """Return a LAN on which config/staging.yaml is served, with a host for each of PHONES, in their order."""
    lan = make_module_lan(server=STAGING_ADDRESSES, clients=PHONES)
    start_server(lan["server"], STAGING, state)
    with lan["client3"].links() as links:
        links.add_address("lan0", STRANGER_ADDRESS)
    return lan


def _maker() -> Iterator[MakeLan]:
    with ExitStack() as stack:

        def make(
            topology: Topology | None = None,
            *,
            server: Sequence[str] = ("10.20.0.1/24",),
            clients: Sequence[str | None] = (None,),
        ) -> Lan:
            return stack.enter_context(Lan(topology or single_lan(server, clients)))

        yield make
