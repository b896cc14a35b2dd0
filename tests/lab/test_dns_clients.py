"""Resolvers and zone checkers that are not ours find config/staging.yaml's DNS right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from netprov.lab.lan import Host, Lan
from tests.lab.conftest import ROOT, needs

pytestmark = pytest.mark.lab

SERVER = "10.20.0.1"
OWNER = "_ciscoprov-https._tls.example.com"
TARGETS = ["10 20 5060 pr2.example.com.", "10 60 5060 pr1.example.com."]

GETADDRINFO = """
#include <netdb.h>
#include <stdio.h>
#include <arpa/inet.h>
int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    char text[64];
    int error = getaddrinfo(argv[1], 0, &hints, &found);
    if (error) { puts(gai_strerror(error)); return 1; }
    for (; found; found = found->ai_next)
        puts(inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text));
    return 0;
}
"""


@pytest.fixture(scope="module")
def client(staging: Lan) -> Host:
    """Return the host that has an address by hand."""
    return staging["client3"]


def lines(client: Host, *command: str) -> list[str]:
    """Run a program and return what it says, blank lines left out."""
    result = client.run([needs(command[0]), *command[1:]], timeout=20)
    assert result.returncode == 0, result.stdout + result.stderr
    return [line for line in result.stdout.splitlines() if line.strip()]


@pytest.mark.parametrize("options", [[], ["+nocookie"], ["+cookie"], ["+noedns"], ["+tcp"], ["+dnssec"]])
def test_dig_gets_srv_records_in_order(client: Host, options: list[str]) -> None:
    assert lines(client, "dig", f"@{SERVER}", "+short", *options, OWNER, "SRV") == TARGETS


@pytest.mark.parametrize("options", [[], ["+tcp"], ["+edns", "+bufsize=512"], ["+cookie"]])
def test_kdig_gets_srv_records_in_order(client: Host, options: list[str]) -> None:
    assert lines(client, "kdig", f"@{SERVER}", "+short", *options, OWNER, "SRV") == TARGETS


@pytest.mark.parametrize("options", [[], ["-t"]])
def test_drill_gets_srv_records_in_order(client: Host, options: list[str]) -> None:
    said = lines(client, "drill", *options, f"@{SERVER}", OWNER, "SRV")
    found = [line.split("SRV\t")[1] for line in said if line.startswith(OWNER)]
    assert found == TARGETS


def test_host_finds_names_and_addresses(client: Host) -> None:
    assert lines(client, "host", "pr1.example.com", SERVER)[-1] == "pr1.example.com has address 10.20.0.11"
    expected = "11.0.20.10.in-addr.arpa domain name pointer pr1.example.com."
    assert lines(client, "host", "10.20.0.11", SERVER)[-1] == expected


def test_pipelined_tcp_queries_are_all_answered(client: Host) -> None:
    names = ["pr1.example.com", "pr2.example.com", "px1.example.com"]
    said = lines(client, "dig", f"@{SERVER}", "+tcp", "+keepopen", "+short", *names)
    assert said == ["10.20.0.11", "10.20.0.12", "10.20.0.13"]


def resolved(client: Host, tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program whose /etc/resolv.conf names our server."""
    resolv = tmp_path / "resolv.conf"
    resolv.write_text(f"nameserver {SERVER}\nsearch example.com\n")
    script = f'mount --bind {resolv} /etc/resolv.conf && exec "$@"'
    return client.run([needs("unshare"), "--mount", "sh", "-c", script, "sh", *command], timeout=20)


def test_glibc_resolves_a_host(client: Host, tmp_path: Path) -> None:
    result = resolved(client, tmp_path, needs("getent"), "-s", "dns", "ahostsv4", "pr1")
    assert result.stdout.split()[0] == "10.20.0.11"


@pytest.mark.parametrize(
    ("name", "code", "said"), [("pr1", 0, "10.20.0.11"), ("nowhere.example.com", 1, "Name does not resolve")]
)
def test_musl_resolves_a_host(client: Host, tmp_path: Path, name: str, code: int, said: str) -> None:
    source, program = tmp_path / "ask.c", tmp_path / "ask"
    source.write_text(GETADDRINFO)
    subprocess.run([needs("musl-gcc"), "-static", "-o", program, source], check=True)
    result = resolved(client, tmp_path, str(program), name)
    assert (code, said) == (result.returncode, result.stdout.strip())


@pytest.mark.parametrize("zone", ["example.com", "0.20.10.in-addr.arpa"])
@pytest.mark.parametrize(
    "checker",
    [
        ["named-checkzone", "{zone}", "{file}"],
        ["nsd-checkzone", "{zone}", "{file}"],
        ["kzonecheck", "-o", "{zone}", "{file}"],
    ],
)
def test_checker_accepts_the_rendered_zone(checker: list[str], zone: str) -> None:
    file = str(ROOT / "zones" / f"{zone}.zone")
    command = [part.format(zone=zone, file=file) for part in checker]
    result = subprocess.run([needs(command[0]), *command[1:]], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
