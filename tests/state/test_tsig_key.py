"""TSIG keys: every place that a secret may be kept at, the forms it is written in, and that it never shows."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli import group
from netprov.cli.site import plan_of
from netprov.dns.config import DnsConfig
from netprov.dns.message.name import parse_name
from netprov.errors import InventoryError, ServiceError
from netprov.inventory.load import load
from netprov.state.tsig_key import load_keys

SECRET = "m0Kq5sYw3m2nE6UbQ0r1O0aFSc1PFQeVxJ0xZ1mGfX4="
HEAD = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"
FORMS = {
    "bare": f"{SECRET}\n",
    "tsig-keygen": f'key "transfer" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n',
    "keymgr": f"# hmac-sha256:transfer:…\nkey:\n- id: transfer\n  algorithm: hmac-sha256\n  secret: {SECRET}\n",
}


def planned(folder: Path, key: str) -> DnsConfig:
    path = folder / "site.yaml"
    path.write_text(
        f"{HEAD}dns: {{keys: {{transfer: {key}}}, secondaries: [{{address: 10.20.0.2, key: transfer}}]}}\n"
    )
    return plan_of(load(path)).dns


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "place", ["{file: k}", "{environment: NETPROV_TEST_KEY}", "{credential: k}", "{secret: …}"]
)
def test_secret_is_read_from_wherever_it_is_kept(
    form: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "k").write_text(FORMS[form])
    monkeypatch.setenv("NETPROV_TEST_KEY", FORMS[form])
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    config = planned(tmp_path, place.replace("…", SECRET))
    assert not config.keys or "secret" in place
    loaded = load_keys(config)
    key = loaded.keys[parse_name("transfer")]
    assert key.secret == base64.b64decode(SECRET)
    assert SECRET not in repr(loaded)
    assert "secret" not in repr(key)


@pytest.mark.parametrize(
    ("place", "content", "said"),
    [
        ("{file: gone}", "", "cannot be read: No such file or directory"),
        ("{file: k}", "c2hvcnQ=", "is not base64 of 16 octets or more"),
        ("{file: k}", "hunter2 hunter2 hunter2", "is not base64 of 16 octets or more"),
        ("{file: k}", "é", "is not text"),
        (
            "{file: k, algorithm: hmac-sha512}",
            FORMS["tsig-keygen"],
            "key transfer is for hmac-sha256, not for hmac-sha512",
        ),
        ("{environment: NETPROV_NO_SUCH}", "", "there is no environment variable NETPROV_NO_SUCH"),
        ("{credential: gone}", "", "cannot be read"),
    ],
)
def test_secret_that_cannot_be_read_is_an_error_that_does_not_show_it(
    place: str, content: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "k").write_bytes(content.encode("latin-1"))
    with pytest.raises(ServiceError) as caught:
        load_keys(planned(tmp_path, place))
    assert said in str(caught.value)
    assert caught.value.remedy
    assert not content or content not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{}", "key transfer has no secret"),
        (f"{{file: k, secret: {SECRET}}}", "key transfer has a secret in several places"),
        ("{secret: hunter2}", "is not base64"),
        ("{secret: [hunter2]}", ""),
    ],
)
def test_inventory_without_one_secret_is_told_so(place: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        planned(tmp_path, place)
    assert said in str(caught.value)
    for secret in (SECRET, "hunter2"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("words", [["check", "--json"], ["check"], ["render", "-o", "-"]])
def test_no_verb_shows_a_secret(words: list[str], tmp_path: Path) -> None:
    planned(tmp_path, f"{{secret: {SECRET}}}")
    result = CliRunner().invoke(group, [*words, "-f", str(tmp_path / "site.yaml")], standalone_mode=False)
    assert result.exception is None, result.output
    assert SECRET not in result.output
    if words[-1] == "--json":
        assert "tsig-secret-in-file" in json.dumps(json.loads(result.output))
