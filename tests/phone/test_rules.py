"""Rules, conditions and URLs: what Cisco's guide prints, and what a phone refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.phone.handset.identity import MODELS, load_name, model_named, speaks_tls13
from netprov.phone.rule.condition import holds
from netprov.phone.rule.grammar import SRV_WITH_TFTP, Alternative, RuleKind, choose, parse_reports, parse_rule
from netprov.phone.rule.refusal import Fault, RuleRefused
from netprov.phone.rule.url import Url, parse_url
from netprov.provision.firmware import load_version

URLS = (
    ("/$MA.cfg", Url("tftp", "10.20.0.1", 69, "/$MA.cfg")),
    ("/cisco/cfg.xml", Url("tftp", "10.20.0.1", 69, "/cisco/cfg.xml")),
    ("192.168.1.130/profiles/init.cfg", Url("tftp", "192.168.1.130", 69, "/profiles/init.cfg")),
    ("tftp://prov.call.com/cpe/ciscoX.cfg", Url("tftp", "prov.call.com", 69, "/cpe/ciscoX.cfg")),
    ("http://neptune.speak.net:8080/prov/D/E.cfg", Url("http", "neptune.speak.net", 8080, "/prov/D/E.cfg")),
    ("https://secure.me.com/profile?Linksys", Url("https", "secure.me.com", 443, "/profile?Linksys")),
    ("https://secure.me.com?Linksys", Url("https", "secure.me.com", 443, "/?Linksys")),
    ("HTTP://pr1.example.com", Url("http", "pr1.example.com", 80, "/")),
    ("http://pr1.example.com.:5060/x", Url("http", "pr1.example.com.", 5060, "/x")),
)


@pytest.mark.parametrize(("text", "url"), URLS)
def test_urls_of_the_guide_have_its_defaults(text: str, url: Url) -> None:
    assert url == parse_url(text, "10.20.0.1")
    assert url == parse_url(str(url))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ftp://h/x", "ftp: is not a scheme"),
        ("/x", "names no server"),
        ("http://h:0/x", "is not a port"),
        ("http://h:80a/x", "is not a port"),
        ("http://h:/x", "is not a port"),
        (f"http://h:{'9' * 5000}/x", "is not a port"),
        ("http://h/a b", "blank"),
        ("http://hö/x", "not ASCII"),
        ("http://256.1.1.1/x", "neither a host name nor"),
        ("http://-h/x", "neither a host name nor"),
    ],
)
def test_faulty_urls_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse_url(text)


RULES = (
    ("", ()),
    ("http://remote.server.com/cisco/0.cfg", (Alternative(url="http://remote.server.com/cisco/0.cfg"),)),
    (
        "(600 ge 600)? http://p.tel.com/has-reg.cfg\n| [--post a] http://p.tel.com/lost-reg?",
        (
            Alternative("600 ge 600", url="http://p.tel.com/has-reg.cfg"),
            Alternative(options={"post": "a"}, url="http://p.tel.com/lost-reg?"),
        ),
    ),
    (
        '("Installed" eq "Installed")? https://p.tel.com/config?\n| https://p.tel.com/config?cisco0',
        (
            Alternative('"Installed" eq "Installed"', url="https://p.tel.com/config?"),
            Alternative(url="https://p.tel.com/config?cisco0"),
        ),
    ),
    (
        '("" ne "Provisioned")? (Line_Enable_1_ = "No";)! https://p.tel.com/init-prov | https://p.tel.com/configs',
        (
            Alternative(
                '"" ne "Provisioned"', (("Line_Enable_1_", "No"),), {}, "https://p.tel.com/init-prov"
            ),
            Alternative(url="https://p.tel.com/configs"),
        ),
    ),
    (
        "[--alias b] https://p.tel.com/x.xml",
        (Alternative(options={"alias": "b"}, url="https://p.tel.com/x.xml"),),
    ),
    (
        '[--key "my secret | phrase" --uid u --pwd p] https://p.tel.com/x',
        (
            Alternative(
                options={"key": "my secret | phrase", "uid": "u", "pwd": "p"}, url="https://p.tel.com/x"
            ),
        ),
    ),
    (
        "[--srv] https://example.com/a.xml",
        (Alternative(options={"srv": ""}, url="https://example.com/a.xml"),),
    ),
    (
        "(1 eq 1)? [--pwd a(b] http://h/x) | http://h/y",
        (Alternative("1 eq 1", options={"pwd": "a(b"}, url="http://h/x)"), Alternative(url="http://h/y")),
    ),
    ('(GPP_A = "x"; GPP_B = "";)!', (Alternative(assignments=(("GPP_A", "x"), ("GPP_B", ""))),)),
)


@pytest.mark.parametrize(("text", "alternatives"), RULES)
def test_rules_of_the_guide_are_read(text: str, alternatives: tuple[Alternative, ...]) -> None:
    assert alternatives == tuple(branch.read() for branch in parse_rule(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[--srv] tftp://example.com/x", SRV_WITH_TFTP),
        ("[--srv] example.com/x", SRV_WITH_TFTP),
        ("http://a/x | http://b/y", "alternative 1 has no condition"),
        ("(1 eq 1)? http://a/x y", "one URL is expected"),
        ("(1 eq 1)?", "neither a URL nor an assignment"),
        ("[--key] http://a/x", "--key takes an argument"),
        ("[--srv yes] http://a/x", "--srv takes no argument"),
        ("[--rfc8188] http://a/x", "--rfc8188 is not an option"),
        ("[key x] http://a/x", "is not an option: they start with --"),
        ("[--key x http://a/x", "is never closed"),
        ("(A = b;)! http://a/x", "is not an assignment"),
    ],
)
def test_faulty_rules_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason.replace("(", r"\(")):
        [branch.read() for branch in parse_rule(text)]


def test_upgrade_rule_takes_no_options() -> None:
    with pytest.raises(Malformed, match="takes no options"):
        parse_rule("[--key x] http://a/x", "upgrade")[0].read()


@pytest.mark.parametrize(
    ("text", "kind"), [("[--status] http://a/x", "profile"), ("[--srv] http://a/x", "report")]
)
def test_each_kind_of_rule_has_options_of_its_own(text: str, kind: RuleKind) -> None:
    with pytest.raises(Malformed, match=f"is not an option of a {kind} rule"):
        parse_rule(text, kind)[0].read()


def test_only_the_alternative_that_is_taken_must_be_well_formed() -> None:
    branches = parse_rule('("" eq "mobile")?[--uid  --pwd ] http://h/a.xml|http://h/b.xml')
    chosen = choose(branches)
    assert chosen is not None
    assert chosen.read() == Alternative(url="http://h/b.xml")
    with pytest.raises(Malformed, match="--uid takes an argument"):
        branches[0].read()


def test_activation_code_is_asked_for_by_profile_rules_alone() -> None:
    assert parse_rule("gds://")[0].read().activates
    with pytest.raises(Malformed, match="activation code"):
        parse_rule("gds://", "upgrade")[0].read()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[--srv] tftp://h/x", Fault.SRV_SCHEME),
        ("[--kez x] http://h/x", Fault.OPTION),
        ("(1 eq 1)? (A = b)! http://h/x", Fault.SYNTAX),
    ],
)
def test_refusals_have_a_kind(text: str, fault: Fault) -> None:
    with pytest.raises(RuleRefused) as caught:
        parse_rule(text)[0].read()
    assert caught.value.fault is fault


def test_incomparable_operands_are_a_fault_of_the_condition() -> None:
    with pytest.raises(RuleRefused) as caught:
        holds("sip88xx.11-3-1MPP lt 11.3")
    assert caught.value.fault is Fault.CONDITION


def test_report_rule_has_a_url_for_each_kind() -> None:
    assert (
        Alternative(options={"status": ""}, url="http://a/status"),
        Alternative(options={"delta": ""}, url="http://a/delta"),
    ) == parse_reports("[--status]http://a/status [--delta]http://a/delta")
    assert (Alternative(url="http://a/full"),) == parse_reports("http://a/full")
    assert (Alternative(options={"key": "a [b"}, url="http://a/x"),) == parse_reports(
        '[--key "a [b"] http://a/x'
    )


def test_first_alternative_whose_condition_holds_is_taken() -> None:
    rule = parse_rule("(1 gt 2)? http://a/1 | (2 gt 1)? http://a/2 | http://a/3")
    assert choose(rule) == rule[1]
    assert choose(rule[:1]) is None


CONDITIONS = (
    ("600 ge 600", True),
    ("301 gt 300 and 599 ge 600", False),
    ("301 > 300 AND 600 >= 600", True),
    ('"Installed" = "Not Installed"', False),
    ('"a and b" != "a" and 1 lt 2', True),
    ("sip88xx.11-3-1MPP-110 gt sip88xx.11-2-3MPP-256", True),
    ("sip88xx.11-3-2MPP0002-256 gt sip88xx.11-3-2MPP0001-609", True),
    ("sip7832.11-0-0MPP-256 ne sip7832.11-0-0MPP-256", False),
    ("sip7832.11-0-1MPP-312 lt sip7832.11-0-1MPP-313", True),
    ("2.0.1 le 2.0.1", True),
    ("-1 lt 0", True),
)


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_conditions(text: str, expected: bool) -> None:
    assert expected == holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1 eq",
        '"a" lt "b"',
        '1 eq "1"',
        "sip88xx.11-3-1MPP eq 11.3.1",
        "1 eq 1 or 2 eq 2",
        "$X eq 1 1",
        "a eq b",
        "\u0663 eq 3",
        f"{'9' * 5000} gt 1",
        f"{'9' * 5000}.1 gt 1.1",
        f"sip88xx.{'9' * 5000}-3-1MPP gt sip88xx.11-3-1MPP",
    ],
)
def test_conditions_that_cannot_be_compared(text: str) -> None:
    with pytest.raises(Malformed):
        holds(text)


@pytest.mark.fuzz
@given(st.text(max_size=80))
def test_fuzz_any_text_is_a_url_a_condition_a_version_or_malformed(text: str) -> None:
    """Rules themselves are held against a grammar in test_fuzz_rule."""
    for parse, kind in ((parse_url, Url), (holds, bool), (load_version, tuple)):
        try:
            found = parse(text)
        except Malformed:
            continue
        assert isinstance(found, kind)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("8851", "CP-8851-3PCC"),
        ("cp-7832-3pcc", "CP-7832-3PCC"),
        ("9851", "DP-9851"),
        ("CP-8899-3PCC", "CP-8899-3PCC"),
    ],
)
def test_models_are_found_as_people_write_them(text: str, name: str) -> None:
    assert name == model_named(text).name


@pytest.mark.parametrize(
    ("model", "firmware", "expected"),
    [
        ("7832", "12.0(7)SR3", True),
        ("8832", "12.0.7SR3", True),
        ("8832", "sip8832.12-0-7MPP0501-123.loads", True),
        ("8832", "12.1.1", True),
        ("8832", "12.0.7SR2", False),
        ("8832", "12.0.7", False),
        ("8832", "of its own kind", False),
        ("8851", "12.0.7SR3", False),
    ],
)
def test_two_models_speak_tls_1_3_from_a_release_on(model: str, firmware: str, expected: bool) -> None:
    found = model_named(model)
    assert speaks_tls13(found, load_name(found, firmware)) == expected


def test_load_names_are_made_of_versions() -> None:
    assert load_name(MODELS["CP-8851-3PCC"], "12.0(7)SR3") == "sip88xx.12-0-7MPP0301"
    assert load_name(MODELS["CP-8851-3PCC"], "11.3.1") == "sip88xx.11-3-1MPP"
    assert load_name(MODELS["CP-8851-3PCC"], "sip88xx.12-0-7MPP0001-22.loads") == "sip88xx.12-0-7MPP0001-22"
