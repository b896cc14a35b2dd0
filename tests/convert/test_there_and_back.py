"""There and back: an import of what an export wrote serves the same clients the same, for inventories made at random."""

from __future__ import annotations

import os

import pytest
import yaml

from netprov.cli.side import drafted, lab_text
from netprov.cli.verb.inventory.export import DHCP, FILES
from netprov.compare.client import clients_of
from netprov.compare.dhcp import option_lists
from netprov.compare.dns import dns_questions
from netprov.compare.report import Verdict, as_text, judge
from netprov.export.written import Left
from netprov.inventory.load import parse
from netprov.lab.proof import own_names
from netprov.plan import Plan, derive
from tests.compare.memory import hear
from tests.export.inventories import inventory

SEEDS = range(40 if os.environ.get("NETPROV_PROOFS") == "all" else 4)


def nearly(plan: Plan, left: list[Left]) -> frozenset[str]:
    """Return the clients of classes and the phones that an export says that it takes only nearly."""
    phones = [each.declared for each in plan.site.phones]
    return frozenset(
        f"class {each.path[1]}" if each.path[0] == "classes" else f"phone {phones[int(each.path[1])].mac}"
        for each in left
        if each.path[0] in {"classes", "phones"}
    )


def renamed(before: Plan, after: Plan) -> dict[str, str]:
    """Return what the networks of one plan are called in another."""
    names = {each.subnet: each.name for each in after.site.networks}
    return {each.name: names[each.subnet] for each in before.site.networks}


def there_and_back(engine: str, seed: int) -> tuple[Verdict, str]:
    """Export an inventory, import what was written, and ask both plans' servers everything; with the draft."""
    document = parse(yaml.safe_dump(inventory(seed), sort_keys=False), "site.yaml")
    before = derive(document.inventory)
    export = DHCP[engine](before, document.place)
    draft = drafted("exported", export.files[FILES[engine]], engine)
    text = lab_text(draft)
    after = derive(parse(text, "draft.yaml").inventory)
    clients, lists = clients_of(before), option_lists(before)
    names = dns_questions(before) if engine == "dnsmasq" else ()
    one = hear(before, clients, lists, names)
    other = hear(after, clients, lists, names, network_names=renamed(before, after))
    listed = frozenset(each.option for each in draft.leftovers if each.option)
    verdict = judge(one, other, own=own_names(after), approximate=nearly(before, export.left), listed=listed)
    return verdict, text


@pytest.mark.parametrize("engine", DHCP)
@pytest.mark.parametrize("seed", SEEDS)
def test_import_of_an_export_serves_what_was_exported(engine: str, seed: int) -> None:
    verdict, text = there_and_back(engine, seed)
    assert not verdict.unexplained, "\n".join([*as_text(verdict), text])
    assert verdict.answered > verdict.questions / 2
