"""What phones of a site share: parameters and policies of the site, its classes and its profiles, each converted once."""

from __future__ import annotations

from typing import Any

from netprov.errors import Path, Place, Problem
from netprov.inventory.model import Auth, Encryption, Inventory, Parameter
from netprov.inventory.model.provision import Values
from netprov.provision import profile
from netprov.provision.config import Device, Policy, TlsVersion
from netprov.provision.parameter.catalogue import find_parameter
from netprov.provision.profile import Layer
from netprov.provision.template import is_template, phone_fields, template_fault


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
        self.policy = _policy(settings.encryption, settings.auth)
        self.policies = {
            name: _policy(
                each.encryption or settings.encryption, each.auth or settings.auth, oldest_tls=each.tls_min
            )
            for name, each in inventory.classes.items()
        }
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
            **more,
        }
        if fault := template_fault(text, context):
            remedy = f"a template knows phone.{', phone.'.join(context['phone'])}, site.domain, site.server, secret(name), and of a resync by POST "
            remedy += "post.NAME | default('')"
            where = f"line {fault.line}: " if "\n" in text and file is None else ""
            place = Place(file, fault.line, 1) if file else None
            self._problems.append(
                Problem("template", f"template: {where}{fault.message}", remedy, path=path, place=place)
            )


class _Anything(dict[str, str]):
    """Stands for the merged values of a phone while a template is checked."""

    def __missing__(self, key: str) -> str:
        return ""


def _policy(
    encryption: Encryption | None, auth: Auth | None, *, oldest_tls: TlsVersion | None = None
) -> Policy:
    chosen = encryption or Encryption(method="none")
    return Policy(
        encryption=chosen.method,
        digest=None if chosen.digest == "auto" else chosen.digest,
        compress=chosen.compress,
        ikm=chosen.ikm,
        auth=auth.scheme if auth else None,
        user=auth.user if auth else "",
        auth_everywhere=auth.everywhere if auth else False,
        oldest_tls=oldest_tls,
    )
