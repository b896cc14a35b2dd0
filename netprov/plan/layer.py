"""What phones of a site share: parameters and policies of the site, its classes and its profiles, each converted once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netprov.errors import Path, Place, Problem
from netprov.inventory.model import Demand, Encryption, Inventory, Keys, Parameter, PhoneClass, Provisioning
from netprov.inventory.model.provision import Values
from netprov.plan.condition import identifiers
from netprov.provision import profile
from netprov.provision.config import Device, Policy, Ports, SenderDemand
from netprov.provision.parameter.catalogue import find_parameter
from netprov.provision.profile import Layer
from netprov.provision.source import SourceValues, named_rows
from netprov.provision.template import is_template, template_fault
from netprov.provision.template.field import phone_fields

TEMPLATE_KNOWS = (
    f"a template knows phone.{', phone.'.join(phone_fields(Device('00:00:00:00:00:00')))}, site.domain, site.server, "
    "secret(name), what sources say, source.SOURCE.NAME, and of a resync by POST post.NAME | default('')"
)


class Layers:
    """The parameters of the site, its classes and its profiles, each converted once."""

    def __init__(self, inventory: Inventory, problems: list[Problem]) -> None:
        self._problems = problems
        self._names: set[str] = set()  # names without a fault; ten thousand phones share a few
        self.inventory = inventory
        self.site = self.convert(inventory.provisioning.values, ("provisioning", "values"))
        self.classes = {
            name: self.convert(each.values, ("classes", name, "values"))
            for name, each in inventory.classes.items()
        }
        self.profiles = {
            name: self.convert(each.values, ("profiles", name, "values"))
            for name, each in inventory.profiles.items()
        }
        settings = inventory.provisioning
        certified = inventory.certificates.client_certificates == "required"
        self.policy = protect(settings, None, certified=certified)
        self.policies = {
            name: protect(settings, each, certified=certified) for name, each in inventory.classes.items()
        }
        problems += _port_problems(("provisioning",), settings, settings)
        for name, group in inventory.classes.items():
            problems += _port_problems(("classes", name), group, settings)
        for name, each in inventory.profiles.items():
            if each.template is not None:
                self._check_template(
                    each.template, ("profiles", name, "template"), each.template_file, parameters=""
                )

    def convert(self, values: Values, path: Path) -> Layer:
        """Return the values as a layer, and note what is wrong with them."""
        return profile.layer([self._parameter(name, value, path) for name, value in values.items()])

    def _parameter(self, name: str, written: str | Parameter, section: Path) -> profile.Parameter:
        parameter = (
            profile.Parameter(name, written)
            if isinstance(written, str)
            else profile.Parameter(name, written.value, written.ua or "")
        )
        if name not in self._names and (fault := profile.name_fault(name)):
            written = profile.xml_name(name)
            known = find_parameter(written) is not None
            remedy = f"write {written}" if known else "write the XML name, as in the phone's own file"
            self._problems.append(Problem("parameter-name", fault, remedy, path=(*section, name)))
        else:
            self._names.add(name)
        value = parameter.value or ""
        if not value.isprintable() and (fault := profile.value_fault(value)):
            self._problems.append(
                Problem("parameter-value", f"{name}: {fault}", "remove it", path=(*section, name))
            )
        if is_template(value):
            self._check_template(value, (*section, name))
        return parameter

    def _check_template(self, text: str, path: Path, file: str | None = None, **more: str) -> None:
        context: dict[str, Any] = {
            "phone": phone_fields(Device("00:00:00:00:00:00")),
            "site": {"domain": self.inventory.domain, "server": ""},
            "post": {},
            "values": _Anything(),
            "secret": str,
            "source": SourceValues(self.inventory.sources, named_rows(self.inventory.sources)),
            **more,
        }
        fault = template_fault(text, context)
        if fault is None or not fault.always:
            return  # by what one phone has: `check` renders each phone's
        what = f"the template of profile {path[1]}" if path[-1] == "template" else str(path[-1])
        where = f", line {fault.line}" if "\n" in text and file is None else ""
        place = Place(file, fault.line, 1) if file else None
        remedy = fault.remedy or TEMPLATE_KNOWS
        self._problems.append(
            Problem("template", f"{what}{where}: {fault.message}", remedy, path=path, place=place)
        )


class _Anything(dict[str, str]):
    """Stands for the merged values of a phone while a template is checked."""

    def __missing__(self, key: str) -> str:
        return ""


def protect(settings: Provisioning, own: PhoneClass | None, *, certified: bool = False) -> Policy:
    """Return how the profiles of a class are protected, None for phones of no class: its own words before the site's.

    `certified` says that HTTPS asks every client for a certificate: what demands that on one road demands it on all.
    """
    encryption = (own.encryption if own else None) or settings.encryption or Encryption(method="none")
    auth = (own.auth if own else None) or settings.auth
    demand = (own.demand if own else None) or settings.demand or Demand()
    keys = (own.keys if own else None) or settings.keys or Keys()
    ports = Ports(demand.circuit_id, demand.remote_id)
    usual: SenderDemand = "certificate" if certified else "port" if ports.named else "anyone"
    return Policy(
        encryption=encryption.method,
        digest=None if encryption.digest == "auto" else encryption.digest,
        compress=encryption.compress,
        ikm=encryption.ikm,
        auth=auth.scheme if auth else None,
        user=auth.user if auth else "",
        auth_everywhere=auth.everywhere if auth else False,
        oldest_tls=own.tls_min if own else None,
        sender=demand.sender or usual,
        ports=ports,
        hours=_hours(demand.hours) if demand.hours else None,
        keys=keys.policy,
        window=keys.window,
    )


def _hours(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    hour, _, minute = first.strip().partition(":")
    end_hour, _, end_minute = last.strip().partition(":")
    return int(hour) * 60 + int(minute), int(end_hour) * 60 + int(end_minute)


def _port_problems(at: Path, given: Provisioning | PhoneClass, site: Provisioning) -> Iterator[Problem]:
    """Find what goes by the port where no port is named."""
    if given.demand:
        problems: list[Problem] = []
        for key in ("circuit_id", "remote_id"):
            identifiers(getattr(given.demand, key), (*at, "demand", key), problems)
        yield from problems
    demand = given.demand or site.demand
    if demand and (demand.circuit_id or demand.remote_id):
        return
    remedy = "name ports under `demand: {circuit_id: …, remote_id: …}`, or go by `lease` or `certificate`"
    if given.keys and given.keys.policy == "port":
        yield Problem("port-unknown", "keys are given by port, and no port is named", remedy, (*at, "keys"))
    if given.demand and given.demand.sender == "port":
        message = "profiles are given by port, and no port is named"
        yield Problem("port-unknown", message, remedy, (*at, "demand"))
