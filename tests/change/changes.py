"""What happens to a site: some fifty kinds of change, each a function that does it whole, `netprov reload` included."""

from __future__ import annotations

import copy
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from netprov.cli.site import open_plan
from netprov.lab.daemon import program
from netprov.lab.process import wait_until
from netprov.pki.names import PhoneSubject
from netprov.pki.request import DAY
from netprov.pki.store import Store
from netprov.runtime.control.reload import reload
from tests.change.look import MACS, PHONE_CERTIFICATE
from tests.change.world import BASE, World
from tests.lab.clients import udhcpc
from tests.lab.conftest import needs

Change = Callable[[World, random.Random], None]


def edit(change: Callable[[dict[str, Any], random.Random], object]) -> Change:
    """Return a change of the inventory, taken over by a reload."""

    def do(world: World, draw: random.Random) -> None:
        change(world.inventory, draw)
        world.write()
        world.reload()

    return do


def _phone(inventory: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    phones: list[dict[str, Any]] = inventory["phones"]
    if not phones:
        phones.append({"mac": MACS[0], "model": "CP-8851-3PCC", "class": "mpp"})
    return draw.choice(phones)


def _list(inventory: dict[str, Any], mac: str) -> None:
    if all(each["mac"] != mac for each in inventory["phones"]):
        inventory["phones"].append({"mac": mac, "model": "CP-8851-3PCC", "class": "mpp"})


def _delist(inventory: dict[str, Any], mac: str) -> None:
    inventory["phones"] = [each for each in inventory["phones"] if each["mac"] != mac]


def _https(inventory: dict[str, Any], *targets: tuple[str, int]) -> None:
    inventory["srv"]["https"] = [
        {"target": name, "port": port, "priority": 10 * n} for n, (name, port) in enumerate(targets, 1)
    ]


def _moved(inventory: dict[str, Any]) -> None:
    inventory["hosts"]["moved"] = ["10.20.0.11"]
    _https(inventory, ("moved", 443))


def _twice(inventory: dict[str, Any]) -> None:
    inventory["hosts"]["moved"] = ["10.20.0.11"]
    _https(inventory, ("pr1", 443), ("moved", 443))


def _at_first(inventory: dict[str, Any]) -> None:
    inventory.clear()
    inventory.update(copy.deepcopy(BASE))


def _value(inventory: dict[str, Any], draw: random.Random) -> None:
    inventory["provisioning"].setdefault("values", {})["Display_Name_1_"] = f"name {draw.random()}"


def _toggle(inventory: dict[str, Any], section: str, key: str, value: object) -> None:
    held = inventory.setdefault(section, {})
    if held.pop(key, None) is None:
        held[key] = value


def _swap(inventory: dict[str, Any]) -> None:
    """Let HTTP have the ACS's port, and the other way round."""
    ports = {80: 7547, 7547: 80}
    for record in inventory["srv"]["http"]:
        record["port"] = ports.get(record["port"], 80)
    _acs(inventory, port=80 if ":7547/" in inventory["classes"]["cpe"]["acs_url"] else 7547)


def _acs(inventory: dict[str, Any], *, port: int = 0, path: str = "") -> None:
    """Let the ACS have another port or path."""
    cpe = inventory["classes"]["cpe"]
    host, _, rest = cpe["acs_url"].removeprefix("http://").partition(":")
    old_port, slash, old_path = rest.partition("/")
    cpe["acs_url"] = f"http://{host}:{port or old_port}{path or slash + old_path}"


EDITS: dict[str, Callable[[dict[str, Any], random.Random], object]] = {
    "a host is added": lambda i, _: i["hosts"].update(pr3=["10.20.0.13"]),
    "a host is dropped": lambda i, _: i["hosts"].pop("pr3", None),
    "a host has another address": lambda i, d: i["hosts"].update(pr3=[f"10.20.0.{d.randrange(20, 40)}"]),
    "a record is added": lambda i, d: i.update(
        records=[{"name": "note", "type": "TXT", "data": str(d.random())}]
    ),
    "records are dropped": lambda i, _: i.pop("records", None),
    "a phone is listed": lambda i, _: _list(i, MACS[1]),
    "a phone is delisted": lambda i, _: _delist(i, MACS[1]),
    "all phones are delisted": lambda i, _: i.update(phones=[]),
    "a phone has values of its own": lambda i, d: _phone(i, d).update(values={"Extra": f"own {d.random()}"}),
    "a phone has no values of its own": lambda i, d: _phone(i, d).pop("values", None),
    "a phone has a name": lambda i, d: _phone(i, d).update(name="desk"),
    "a phone has no name": lambda i, d: _phone(i, d).pop("name", None),
    "option 66 is another": lambda i, _: i["classes"]["mpp"].update(options={"66": "10.20.0.11"}),
    "option 160 leads to a served address": lambda i, _: i["classes"]["mpp"].update(
        options={"160": "http://10.20.0.1/"}
    ),
    "option 150 instead": lambda i, _: i["classes"]["mpp"].update(options={"150": "10.20.0.12"}),
    "an SRV target is added": lambda i, _: _https(i, ("pr1", 443), ("pr2", 443)),
    "an SRV target is added at a served address": lambda i, _: _twice(i),
    "an SRV target is dropped": lambda i, _: _https(i, ("pr1", 443)),
    "an SRV target is renamed": lambda i, _: _moved(i),
    "an SRV target has another port": lambda i, _: _https(i, ("pr1", 5060)),
    "SRV targets change places": lambda i, _: _https(i, ("pr2", 443), ("pr1", 443)),
    "a value is changed": _value,
    "there is a time server": lambda i, _: i["networks"]["voice"].update(ntp="10.20.0.1"),
    "there is no time server": lambda i, _: i["networks"]["voice"].pop("ntp", None),
    "the lease time is another": lambda i, d: i["networks"]["voice"].update(
        lease=d.choice(["1h", "2h", "1d"])
    ),
    "the pool is smaller": lambda i, _: i["networks"]["voice"].update(pool="10.20.0.100-10.20.0.120"),
    "the pool is larger": lambda i, _: i["networks"]["voice"].update(pool="10.20.0.100-10.20.0.180"),
    "the network hands out another domain": lambda i, _: i["networks"]["voice"].update(
        domain="lab.example.com"
    ),
    "the network hands out the site's domain": lambda i, _: i["networks"]["voice"].pop("domain", None),
    "there is a DNS server more": lambda i, _: i["networks"]["voice"].update(dns=["10.20.0.1", "10.20.0.9"]),
    "there is one DNS server": lambda i, _: i["networks"]["voice"].pop("dns", None),
    "static files come or go": lambda i, _: _toggle(i, "provisioning", "files", {"/files": "files"}),
    "syslog goes or comes": lambda i, _: _toggle(i, "provisioning", "syslog", value=False),
    "the unlisted get nothing, or a bootstrap": lambda i, _: _toggle(
        i, "provisioning", "bootstrap", value=False
    ),
    "there is an intermediate CA or none": lambda i, _: _toggle(
        i, "certificates", "intermediate", value=True
    ),
    "phones are asked for certificates or not": lambda i, _: _toggle(
        i, "certificates", "client_certificates", "optional"
    ),
    "HTTP and the ACS change places": lambda i, _: _swap(i),
    "the TTL is another": lambda i, d: i.setdefault("dns", {}).update(ttl=d.choice([60, 300, 600])),
    "the ACS has another path": lambda i, _: _acs(i, path="/acs"),
    "the ACS has no path": lambda i, _: _acs(i, path="/"),
    "the ACS asks no password, or one": lambda i, _: _toggle(
        i, "acs", "credentials", {"username": "phone", "scheme": "basic"}
    ),
    "all is as at first": lambda i, _: _at_first(i),
}


def _address(world: World, verb: str, address: str, interface: str = "lan0") -> None:
    command = [needs("ip"), "address", verb, f"{address}/24", "dev", interface]
    world.server.run(command, timeout=10)  # it may be there, or gone, already


def _addresses(world: World) -> None:
    for address in ("10.20.0.11", "10.20.0.12"):
        _address(world, "add", address)


def _refused(world: World, breaks: Callable[[], object]) -> None:
    """Break the inventory, see the reload refused, and mend it."""
    held = world.file.read_text()
    breaks()
    assert not reload(world.state).done
    world.file.write_text(held)


def _broken(world: World, draw: random.Random) -> None:
    text = draw.choice(["domain: [", "domian: x\n", ""])
    _refused(world, lambda: world.file.write_text(text))


def _no_interface(world: World, _: random.Random) -> None:
    _refused(world, lambda: world.file.write_text(world.file.read_text().replace('"lan0"', '"lan9"')))


def _full_disk(world: World, _: random.Random) -> None:
    world.excused.add("dhcp")  # nothing is acknowledged that cannot be written
    filler = world.state / "filler"
    with suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(4096))
            file.flush()
    held = world.file.read_text()
    world.inventory["records"] = [{"name": "note", "type": "TXT", "data": f"full {time.time()}"}]
    world.write()
    assert not reload(world.state).done, held
    filler.unlink()
    world.reload()


def _replaced(world: World, _: random.Random) -> None:
    assert world.netprov("cert", "init", "--replace", "-f", str(world.file)).returncode == 0


def _issued(world: World, _: random.Random) -> None:
    assert world.netprov("cert", "issue", "-f", str(world.file)).returncode == 0


def _imported(world: World, _: random.Random) -> None:
    foreign, plan = Store(world.folder / "foreign"), open_plan(str(world.file)).plan.pki
    foreign.ensure(plan, time.time())
    (pem,) = foreign.chain_files(plan.servers[0].host)
    words = ["--chain", str(pem), "--key", str(pem), "--ca", str(foreign.ca_file)]
    assert world.netprov("cert", "import", "-f", str(world.file), *words).returncode == 0


def _forgotten(world: World, _: random.Random) -> None:
    assert world.netprov("cert", "import", "--forget", "-f", str(world.file)).returncode == 0


def _secret(world: World, draw: random.Random) -> None:
    (world.state / "secrets").write_text(f"acs word{draw.randrange(1000)}\nsite {'00' * 32}\n")


def _file(world: World, draw: random.Random) -> None:
    (world.folder / "files" / "a.txt").write_text(f"{draw.random()}\n")


def _no_file(world: World, _: random.Random) -> None:
    (world.folder / "files" / "a.txt").unlink(missing_ok=True)


def _second_network(world: World, _: random.Random) -> None:
    _address(world, "add", "10.30.0.1", "lan1")
    world.inventory["networks"]["more"] = {
        "interface": "lan1",
        "subnet": "10.30.0.0/24",
        "other_servers": "allow",
        "conflict_check": False,
    }
    world.write()
    world.reload()


def _no_second_network(world: World, _: random.Random) -> None:
    world.inventory["networks"].pop("more", None)
    world.write()
    world.reload()
    _address(world, "del", "10.30.0.1", "lan1")


def _restarted(world: World, draw: random.Random, number: int = signal.SIGTERM) -> None:
    roles = draw.choice(world.roles)
    world.excused.update(roles, {"https"} if "http" in roles else ())
    process = world.processes["+".join(roles)]
    process.signal(number)
    process.wait(timeout=20)
    world.start(roles)


def _killed(world: World, draw: random.Random) -> None:
    _restarted(world, draw, signal.SIGKILL)


def _clock(world: World, draw: random.Random) -> None:
    world.steps_clock(draw.choice([0, 0, 3600, -3600, 300 * DAY, 390 * DAY, 800 * DAY]))


def _phone_certificate(world: World, _: random.Random) -> None:
    phone = PhoneSubject("CP-8851-3PCC", "FCH1", PHONE_CERTIFICATE.split("/")[-1].partition(".")[0])
    Store(world.state / "pki").issue_phone(
        open_plan(str(world.file)).plan.pki, phone, "ecdsa-p256", time.time()
    )


def _revoked(world: World, draw: random.Random) -> None:
    if not (world.state / PHONE_CERTIFICATE).exists():
        _phone_certificate(world, draw)
    words = ["cert", "revoke", "-f", str(world.file), str(world.state / PHONE_CERTIFICATE)]
    result = world.netprov(*words)
    assert result.returncode in {0, 1, 3}, result.stderr  # a CA that was replaced has not issued it


OTHER = """
dhcp-range=10.20.0.200,10.20.0.220,1h
dhcp-mac=set:ours,00:12:34:ab:45:*
dhcp-ignore=tag:ours
"""


def _other_server(world: World, *, stays: bool) -> None:
    """Let another server answer where none is wanted: nothing is offered until it is gone, or allowed."""
    world.excused.add("dhcp")
    network = world.inventory["networks"]["voice"]
    network["other_servers"] = "refuse"
    configuration = world.folder / "dnsmasq.conf"
    configuration.write_text(OTHER)
    words = [
        "--no-daemon",
        f"--conf-file={configuration}",
        "--port=0",
        "--interface=lan0",
        "--user=root",
        "--no-ping",
    ]
    other = world.live["other"].spawn(
        [program("dnsmasq"), *words, "--dhcp-leasefile=/dev/null", "--log-facility=-"]
    )
    try:
        other.wait_for("DHCP, IP range")
        world.write()
        world.reload()
        (asking := world.folder / "asking").mkdir(exist_ok=True)
        udhcpc(world.live["client0"], asking)  # which the other server answers, and ours hears
        wait_until(lambda: "10.20.0.251" in world.waits(), what="silence beside it", timeout=30)
        assert "ip" not in world.offered()
        if stays:
            network["other_servers"] = "allow"
            world.write()
            world.reload()
    finally:
        other.stop()
    wait_until(lambda: "10.20.0.251" not in world.waits(), what="the other server's end", timeout=120)
    if not stays:
        network["other_servers"] = "allow"
        world.write()
        world.reload()


def _hung_up(world: World, draw: random.Random) -> None:
    world.inventory["records"] = [{"name": "note", "type": "TXT", "data": f"hup {draw.random()}"}]
    world.write()
    process = world.processes["+".join(draw.choice(world.roles))]
    before = process.output.count("reloaded")
    process.signal(signal.SIGHUP)
    wait_until(lambda: process.output.count("reloaded") > before, what="a reload", timeout=30)


WORLD: dict[str, Change] = {
    "an address goes": lambda w, d: _address(w, "del", d.choice(["10.20.0.11", "10.20.0.12"])),
    "addresses come": lambda w, _: _addresses(w),
    "a network on another interface comes": _second_network,
    "a network on another interface goes": _no_second_network,
    "the inventory is broken and mended": _broken,
    "an interface is misspelt": _no_interface,
    "the disk is full, and freed": _full_disk,
    "the CA is replaced": _replaced,
    "certificates are issued again": _issued,
    "a chain is imported": _imported,
    "imported chains are forgotten": _forgotten,
    "a secret is changed": _secret,
    "a phone has a certificate": _phone_certificate,
    "a phone's certificate is revoked": _revoked,
    "the clock is stepped": _clock,
    "another DHCP server comes and goes": lambda w, _: _other_server(w, stays=False),
    "another DHCP server comes and is allowed": lambda w, _: _other_server(w, stays=True),
    "a static file is written": _file,
    "a static file is removed": _no_file,
    "a role is restarted": _restarted,
    "a role is killed and restarted": _killed,
    "one process is told to hang up": _hung_up,
}
CHANGES: dict[str, Change] = {**{name: edit(change) for name, change in EDITS.items()}, **WORLD}
