"""Under systemd as PID 1: what each role's process can read and write of the state directory, compared with a table."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from netprov.runtime.roles import ROLES
from tests.systemd.debian import CannotBootError, Machine, booted, install, netprov_binds

STATE = "/var/lib/netprov"
INVENTORY = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, address: 10.20.0.1}}
classes:
  cpe: {match: {vendor_class_contains: dslforum.org}, method: acs, acs_url: "https://netprov.example.com:7547/"}
provisioning: {encryption: {}}
certificates: {keys: ecdsa-p256, ca_key: ecdsa-p256}
phones: [{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC}]
"""
SERVICES = tuple(f"netprov-{role}.service" for role in ROLES)

EVERYBODY = {*ROLES, "cert"}
WRITES = {
    "pki/root.pem": {"cert"},
    "pki/ca.pem": {"cert"},
    "pki/crl.pem": {"cert"},
    "pki/servers/netprov.example.com.ecdsa-p256.pem": {"cert"},
    "secrets": {"cert"},
    "leases/leases.db": {"dhcp"},
    "leases/leases.db-wal": {"dhcp"},
    "leases/leases.db-shm": {"dhcp"},
    "leases/leases.lock": {"dhcp"},
    "leases/reserve": {"dhcp"},
    "dns/dns-serials.json": {"dns"},
    "acs/acs.sqlite3": {"acs"},
    "acs/acs.sqlite3-wal": {"acs"},
    "acs/acs.sqlite3-shm": {"acs"},
    "records/devices.sqlite": EVERYBODY,
    "records/devices.sqlite-wal": EVERYBODY,
    "records/devices.sqlite-shm": EVERYBODY,
}
"""Who can write what, and read it; the certificate role is in the group that reads the leases and the records."""

READS = WRITES | {
    "pki/ca.pem": EVERYBODY,
    "pki/crl.pem": EVERYBODY,
    "pki/servers/netprov.example.com.ecdsa-p256.pem": {"acs", "cert", "http"},
    "secrets": {"cert", "http", "tftp"},
    "leases/leases.db": EVERYBODY,
    "leases/leases.db-wal": EVERYBODY,
    "leases/leases.db-shm": EVERYBODY,
}
"""Who can read it: also others than who can write it."""

FOLDERS = {
    "": set(),
    "pki": {"cert"},
    "pki/servers": {"cert"},
    "pki/imported": {"cert"},
    "leases": {"dhcp"},
    "dns": {"dns"},
    "acs": {"acs"},
    "keys": {"http"},
    "records": {*ROLES, "cert"},
    "control": {*ROLES, "cert"},
}
"""Who can make and rename files where."""

_PROBE = """
import json, os, sys
state, paths, folders = json.loads(sys.argv[1])
def opens(path, flags):
    try:
        os.close(os.open(os.path.join(state, path), flags))
    except OSError:
        return False
    return True
def makes(folder):
    path = os.path.join(state, folder, ".probe")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.unlink(path)
    except OSError:
        return False
    return True
print(json.dumps([
    [p for p in paths if opens(p, os.O_RDONLY)],
    [p for p in paths if opens(p, os.O_WRONLY)],
    [f for f in folders if makes(f)],
    [os.getresuid(), os.getresgid()],
]))
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine on which every role has been started for the first time, each ready."""
    try:
        with booted(netprov_binds()) as found:
            install(found)
            found.run(
                "sh",
                "-c",
                "ip link add lan0 type veth peer name phones && ip link set phones up && ip link set lan0 up "
                "&& ip address add 10.20.0.1/24 dev lan0",
            )
            found.write("/etc/netprov/netprov.yaml", INVENTORY)
            found.run("systemd-tmpfiles", "--create", "netprov.conf")
            found.run(
                "sh", "-c", f"systemctl start {' '.join(SERVICES)} || (journalctl --no-pager -n 60; exit 1)"
            )
            yield found
    except CannotBootError as error:
        pytest.skip(str(error))


def seen(machine: Machine) -> dict[str, tuple[set[str], set[str], set[str], list[list[int]]]]:
    """Return what each role's own process can read, write and make: asked by a program that runs in its place.

    That is in its process's namespaces, with its user, groups and capabilities.
    """
    ask = json.dumps([STATE, sorted(READS), sorted(FOLDERS)])
    found = {}
    for role in (*ROLES, "cert"):
        unit = f"netprov-{role}.service"
        shown = machine.run("systemctl", "show", "-P", "MainPID", unit).strip()
        if role == "cert":
            out = machine.run("sh", "-c", _AS_CERT, "sh", _PROBE, ask)
        else:
            out = machine.run("sh", "-c", _IN_PLACE, "sh", shown, _PROBE, ask)
        reads, writes, makes, ids = json.loads(out.splitlines()[-1])
        found[role] = (set(reads), set(writes), set(makes), ids)
    return found


_IN_PLACE = """
uid=$(awk '/^Uid:/ {print $2}' /proc/$1/status); gid=$(awk '/^Gid:/ {print $2}' /proc/$1/status)
groups=$(awk '/^Groups:/ {$1=""; print}' /proc/$1/status | xargs | tr ' ' ,)
exec nsenter --target=$1 --mount setpriv --reuid=$uid --regid=$gid --groups=${groups:-$gid} --inh-caps=-all --bounding-set=-all \
    --no-new-privs python3 -c "$2" "$3"
"""
_AS_CERT = """
mkdir -p /run/systemd/system/netprov-cert.service.d
printf '%s' "$1" > /run/probe.py; printf '%s' "$2" > /run/probe.json
printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/python3 /run/probe.sh.py\\nStandardOutput=file:/run/probe.out\\n' \
    > /run/systemd/system/netprov-cert.service.d/99-probe.conf
printf 'import sys, runpy; sys.argv = ["-", open("/run/probe.json").read()]; runpy.run_path("/run/probe.py")\\n' > /run/probe.sh.py
systemctl daemon-reload && systemctl start netprov-cert.service; status=$?
rm /run/systemd/system/netprov-cert.service.d/99-probe.conf; systemctl daemon-reload
cat /run/probe.out; exit $status
"""


def table(
    found: dict[str, tuple[set[str], set[str], set[str], list[list[int]]]], which: int, names: object
) -> object:
    assert isinstance(names, dict)
    return {name: {role for role, each in found.items() if name in each[which]} for name in names}


def compare(machine: Machine) -> None:
    found = seen(machine)
    assert table(found, 0, READS) == READS
    assert table(found, 1, WRITES) == WRITES
    assert table(found, 2, FOLDERS) == FOLDERS
    users = {role: each[3][0][0] for role, each in found.items()}
    assert len(set(users.values())) == len(users)
    assert 0 not in users.values()


def test_every_role_is_up_and_has_its_own_files_after_a_first_start(machine: Machine) -> None:
    states = machine.run("systemctl", "is-active", *SERVICES).split()
    assert states == ["active"] * len(SERVICES)
    compare(machine)


@pytest.mark.slow
def test_nothing_has_changed_after_every_certificate_was_issued_anew(machine: Machine) -> None:
    """A file is replaced by another one, which a list of paths in a unit would not keep a role out of."""
    before = machine.run("stat", "-c", "%i", f"{STATE}/pki/servers/netprov.example.com.ecdsa-p256.pem")
    program = ("/opt/netprov/bin/netprov", "cert", "issue", "netprov", "--file", "/etc/netprov/netprov.yaml")
    machine.run(*program, "--state", STATE)  # as root, as an operator does
    assert (
        machine.run("stat", "-c", "%i", f"{STATE}/pki/servers/netprov.example.com.ecdsa-p256.pem") != before
    )
    machine.run("systemctl", "start", "netprov-cert.service")
    machine.run("systemctl", "restart", *SERVICES)
    compare(machine)


@pytest.mark.slow
def test_one_process_with_every_role_gives_root_up_and_serves_reloads_and_follows(machine: Machine) -> None:
    machine.run("systemctl", "stop", *SERVICES)
    machine.write("/srv/site.yaml", INVENTORY)
    unit = "[Service]\nType=notify\nEnvironment=SUDO_USER=nobody\nExecStart=/opt/netprov/bin/netprov serve --file /srv/site.yaml --state /srv/one\n"
    machine.write("/run/systemd/system/one.service", unit)
    machine.run(
        "sh", "-c", "systemctl daemon-reload && systemctl start one.service || (journalctl -n 40; exit 1)"
    )
    process = machine.run("systemctl", "show", "-P", "MainPID", "one.service").strip()
    status = machine.run("grep", "-E", "^(Uid|CapEff|CapBnd)", f"/proc/{process}/status").split()
    nobody = machine.run("id", "-u", "nobody").strip()
    assert status[1:5] == [nobody] * 4
    assert status[6] == status[8] == f"{1 << 10 | 1 << 13:016x}"
    assert set(machine.run("find", "/srv/one", "-printf", "%u\n").split()) == {"nobody"}
    listening = machine.run("ss", "-Hlntu")
    for port in (53, 67, 69, 80, 443, 514, 7547):
        assert f":{port} " in listening
    more = INVENTORY + "hosts: {pr1: 10.20.0.11}\nsrv: {http: [{target: pr1, port: 80}]}\n"
    machine.write("/srv/site.yaml", more)
    machine.run("/opt/netprov/bin/netprov", "reload", "--state", "/srv/one")
    assert "10.20.0.11:80 " not in machine.run("ss", "-Hlnt")
    machine.run("ip", "address", "add", "10.20.0.11/24", "dev", "lan0")
    machine.run("timeout", "20", "sh", "-c", "until ss -Hlnt | grep -q 10.20.0.11:80; do sleep 0.1; done")
    machine.run("systemctl", "stop", "one.service")
