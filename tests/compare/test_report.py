"""What a comparison tells: to people, to programs, to CI; and the page that lists the reasons."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

from netprov.compare.answer import Answer, DhcpAnswer, DhcpQuestion, DnsAnswer, DnsQuestion, Question
from netprov.compare.client import AskingClient
from netprov.compare.judge import REASONS
from netprov.compare.report import as_json, as_junit, as_text, judge

CLIENT = AskingClient("phone lobby", "voice", bytes(6))
ASKED = DhcpQuestion(CLIENT, "discover", (1, 66))
NAME = DnsQuestion("pr1.example.com", "A", tcp=False)


def answers(tftp: bytes, address: str, *, server: int = 1) -> dict[Question, Answer]:
    options = {54: server.to_bytes(4, "big"), 66: tftp}
    return {
        ASKED: DhcpAnswer("OFFER", 0, server, options),
        NAME: DnsAnswer("answer", (("pr1.example.com", "1", address),), (60,), authoritative=True),
    }


VERDICT = judge(
    answers(b"10.20.0.1", "10.20.0.11"),
    answers(b"10.20.0.2", "10.20.0.12", server=2),
    places={(str(CLIENT), 66): "site.yaml:7:5"},
)


def test_unexplained_difference_is_told_with_its_line() -> None:
    lines = list(as_text(VERDICT))
    assert lines[0] == 'site.yaml:7:5: option 66 (TFTP Server Name): "10.20.0.1" against "10.20.0.2"'
    assert lines[-1] == "2 questions, 2 answered; 2 unexplained differences"
    assert any(line.startswith("explained, 1 times (server)") for line in lines)


def test_json_holds_every_difference_with_its_reason() -> None:
    data = json.loads(as_json(VERDICT))
    assert [(each["what"], each["reason"]) for each in data["differences"]] == [
        ("option 54 (Server Identifier)", "server"),
        ("option 66 (TFTP Server Name)", ""),
        ("records", ""),
    ]
    assert data["differences"][1]["place"] == "site.yaml:7:5"


def test_junit_fails_the_questions_that_differ() -> None:
    suite = fromstring(as_junit(VERDICT, "old against new"))
    assert suite.attrib == {"name": "old against new", "tests": "2", "failures": "2"}
    assert [case.get("name") for case in suite if case.find("failure") is not None] == [str(ASKED), str(NAME)]


def test_question_that_only_one_server_could_be_asked_is_a_difference() -> None:
    left = answers(b"10.20.0.1", "10.20.0.11")
    right: dict[Question, Answer] = {NAME: left[NAME]}
    assert [each.what for each in judge(left, right).unexplained] == ["question"]


def test_the_page_lists_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "import.md").read_text()
    assert [key for key, text in REASONS.items() if f"| {key} | {text} |" not in page] == []
