"""A living phone on a LAN with netprov's servers: real programs knock at its own doors, and its ACS hears of it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from netprov.cwmp.connection_request import USER
from netprov.lab.lan import Lan
from netprov.lab.process import Process, run
from tests.lab.conftest import PYTHON, MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

MAC = "00:12:34:ab:45:de"
SITE = f"""
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
classes: {{cpe: {{match: {{vendor_class: "*dslforum.org"}}, method: acs, acs_url: "http://10.20.0.1:7547/"}}}}
phones: [{{mac: {MAC}, model: CP-8851-3PCC, class: cpe, address: 10.20.0.50, values: {{Display_Name_1_: "4081001141"}}}}]
"""


@pytest.fixture
def lan(make_lan: MakeLan, tmp_path: Path) -> Lan:
    made = make_lan(server=["10.20.0.1/24"], clients=[MAC])
    (tmp_path / "site.yaml").write_text(SITE)
    served = [
        PYTHON,
        "-m",
        "netprov",
        "serve",
        "-f",
        str(tmp_path / "site.yaml"),
        "--state",
        str(tmp_path / "state"),
    ]
    made["server"].spawn(served).wait_for("Ready", timeout=60)
    return made


def console(tmp_path: Path, *words: str) -> str:
    command = [PYTHON, "-m", "netprov", "handset", str(tmp_path / "s"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def curl(lan: Lan, *words: str) -> str:
    done = run(lan["server"].namespace, [needs("curl"), "-sS", "-m", "20", "-w", "%{http_code}", *words])
    return f"{done.stdout}{done.stderr}"


def account(tmp_path: Path) -> str:
    """Return user and password of the phone's connection requests, as the ACS keeps them."""

    def kept() -> str:
        with closing(sqlite3.connect(tmp_path / "state" / "acs" / "acs.sqlite3")) as database:
            ((record,),) = database.execute("SELECT record FROM device")
        return str(json.loads(record)["request_password"])

    return f"{USER}:{wait_until(kept, what='the account')}"


def living(lan: Lan, tmp_path: Path) -> Process:
    account = ["--set", "Connection_Request_Username=acs", "--set", "Connection_Request_Password=pw"]
    words = ["phone", MAC, "-f", str(tmp_path / "site.yaml"), "-i", "lan0", "--stay", "--speed", "20"]
    process = lan["client0"].spawn(
        [PYTHON, "-u", "-m", "netprov", *words, *account, "--console", str(tmp_path / "s")]
    )
    process.wait_for(r"Successful resync https://.*-- OK", timeout=60)
    return process


def test_curl_resyncs_the_phone_and_the_acs_calls_it(lan: Lan, tmp_path: Path) -> None:
    phone = living(lan, tmp_path)
    assert console(tmp_path, "screen").splitlines()[1] == "4081001141"
    page = curl(lan, "http://10.20.0.50/")
    assert "Provisioning status 1" in page
    url = re.search(r"Connection request URL\s+(http://10\.20\.0\.50:[89]\d\d\d/)", page)
    assert url
    assert curl(lan, "http://10.20.0.50/admin/resync?http://10.20.0.1/8851-3PCC.xml").endswith("200")
    phone.wait_for("Requesting resync http://10.20.0.1:80/8851-3PCC.xml", timeout=30)
    assert curl(lan, url[1]).endswith("401")
    assert curl(lan, "--digest", "-u", "acs:wrong", url[1]).endswith("401")
    assert "6 CONNECTION REQUEST" not in phone.output
    # The account that the ACS has set in the phone's first session counts, not the one that the phone had before.
    assert curl(lan, "--digest", "-u", "acs:pw", url[1]).endswith("401")
    assert curl(lan, "--digest", "-u", account(tmp_path), url[1]).endswith("200")
    phone.wait_for("6 CONNECTION REQUEST", timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_however_it_is_told_to_end_a_phone_takes_back_what_it_put_on_the_interface(
    lan: Lan, tmp_path: Path, number: signal.Signals
) -> None:
    phone = living(lan, tmp_path)
    ip = [needs("ip"), "-4", "-o", "address", "show", "dev", "lan0"]
    assert "10.20.0.50" in run(lan["client0"].namespace, ip).stdout
    phone.signal(number)
    assert phone.wait() == 128 + number
    assert "10.20.0.50" not in run(lan["client0"].namespace, ip).stdout
    assert not (tmp_path / "s").exists()
    assert "customization" in phone.output
