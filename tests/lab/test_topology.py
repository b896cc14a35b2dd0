"""The LAN that an inventory describes, as data."""

from __future__ import annotations

from typing import Any

import pytest

from netprov.errors import LabError
from netprov.inventory.model import Inventory
from netprov.lab.topology import HostPlan, PhonePlan, Port, relays, staging_lan
from netprov.lab.trial import phones_of
from netprov.lab.wire import Faults
from netprov.plan.site import Site, resolve


def site(**sections: Any) -> Site:
    """Return the site of an inventory with one network, voice, unless told otherwise."""
    networks = {"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}}
    return resolve(Inventory.model_validate({"domain": "example.com", "networks": networks, **sections}))


BRANCH = {
    "voice": {"interface": "lan0", "subnet": "10.20.0.0/24"},
    "branch": {"subnet": "10.30.0.0/24", "router": "10.30.0.1"},
}


def test_server_has_the_address_of_every_named_host_of_its_subnet() -> None:
    lan = staging_lan(site(hosts={"pr1": "10.20.0.11", "far": "192.0.2.1"}), [])
    assert lan.hosts == (HostPlan("server", (Port("voice", "lan0", ("10.20.0.1/24", "10.20.0.11/24")),)),)


def test_host_that_is_down_exists_nowhere() -> None:
    lan = staging_lan(site(hosts={"pr1": "10.20.0.11", "pr2": "10.20.0.12"}), [], down=["pr2"])
    assert lan.hosts[0].ports[0].addresses == ("10.20.0.1/24", "10.20.0.11/24")


def test_phone_is_on_its_network_by_a_cable_with_the_faults_asked_for() -> None:
    faults = Faults(loss=5)
    lan = staging_lan(site(), [PhonePlan("phone1", "00:12:34:00:00:01")], faults=faults)
    assert lan.hosts[1] == HostPlan(
        "phone1", (Port("voice", "lan0", mac="00:12:34:00:00:01", faults=faults),)
    )


def test_remote_network_has_a_router_with_a_relay_and_the_server_a_route() -> None:
    branch = site(networks=BRANCH)
    server, router = staging_lan(branch, []).hosts
    assert server.routes == (("10.30.0.0/24", "10.20.0.254"),)
    assert router == HostPlan(
        "router-branch",
        (Port("voice", "lan0", ("10.20.0.254/24",)), Port("branch", "lan1", ("10.30.0.1/24",))),
        forwards=True,
    )
    assert relays(branch) == (("router-branch", "lan1", "10.30.0.1", "10.20.0.1"),)


def test_inventory_without_an_interface_has_no_place_for_its_server() -> None:
    with pytest.raises(LabError, match="no place for its server"):
        staging_lan(site(networks={"branch": BRANCH["branch"]}), [])


def test_listed_phones_boot_as_their_class_says() -> None:
    phones = phones_of(
        site(
            classes={"cpe": {"method": "acs", "acs_url": "https://a.example.com/"}},
            phones=[{"mac": "00:12:34:ab:45:de", "model": "CP-8861-3PCC", "class": "cpe"}],
        )
    )
    assert [(phone.name, phone.identity.tr069, phone.kind) for phone in phones] == [
        ("phone1", True, "class cpe, method acs")
    ]


@pytest.mark.parametrize(("asked", "names"), [(0, ["guest1", "guest2"]), (1, ["guest1"])])
def test_inventory_without_phones_gets_guests(asked: int, names: list[str]) -> None:
    assert [phone.name for phone in phones_of(site(lab={"phones": asked}))] == names


def test_guests_come_beside_listed_phones_only_if_asked_for() -> None:
    listed = [{"mac": "00:12:34:ab:45:de"}]
    assert len(phones_of(site(phones=listed))) == 1
    phones = phones_of(site(phones=listed, lab={"phones": 300, "model": "CP-7841-3PCC"}))
    assert len({phone.identity.mac for phone in phones}) == 301
    assert phones[-1].identity.model.name == "CP-7841-3PCC"
