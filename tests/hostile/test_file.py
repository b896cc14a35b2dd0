"""Files of others, to import or to render: none takes more time or memory than its size is worth, each ends with a message."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.provision.template import RenderFailed, render

TEMPLATES = {
    "product": '{{ "x" * 2000000000 }}',
    "product of a float": '{{ "x" * 2e9 }}',
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "long range": "{{ range(10**9)|list }}",
    "recursion": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "recursive loop": "{% for a in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "growing number": "{% set n = namespace(x=3) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "method": '{{ "x".ljust(1000000000) }}',
    "percent": '{{ "%1000000000d" % 1 }}',
    "percent and star": '{{ "%*d" % (1000000000, 1) }}',
    "format": '{{ "{:>1000000000}".format(1) }}',
    "format filter": '{{ "%1000000000d"|format(1) }}',
    "center": '{{ "x"|center(1000000000) }}',
    "indent": '{{ "x"|indent(1000000000) }}',
    "slice": "{{ [1]|slice(1000000000)|list }}",
    "doubling by ~": '{% set n = namespace(x="xx") %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}',
    "doubling by a block": '{% set x = "xx" %}' + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60,
    "doubling by a list": "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "replace": '{{ ("x" * 100000).replace("x", "y" * 100000) }}',
    "replace filter": '{{ ("x" * 100000)|replace("x", "y" * 100000) }}',
    "join": '{{ ("x" * 100000)|list|join("y" * 100000) }}',
    "lists of lists": "{{ [[1] * 1000] * 1000 * 1000 }}",
    "much output": '{% for i in range(40000) %}{{ "x" * 1000 }}{% endfor %}',
    "lorem ipsum": "{{ lipsum(n=1000000) }}",
}

IMPORTS = {
    "open braces": "{" * 100_000,
    "blocks": "subnet 10.0.0.0 netmask 255.0.0.0 " + "{ group " * 100_000,
    "Kea's brackets": '{"Dhcp4": ' + "[" * 100_000,
    "quotes": '"' * 2_000_000,
    "apostrophes": "'" * 2_000_000,
    "commas": "," * 2_000_000,
    "backslashes": "\\" * 2_000_000,
    "comments": "/*" * 1_000_000,
    "tags": "dhcp-option=" + "tag:x," * 300_000,
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_that_wants_everything_ends_with_a_message(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RenderFailed, match=r"template of it, line \d+: .{8}"):
        render(TEMPLATES[name], {}, "it")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_templates_that_operators_write_are_rendered_as_ever() -> None:
    text = (
        '{{ mac|replace(":", "")|upper }} {{ mac.replace(":", "") }} {{ "%s-%02d" % (name, 3) }} {{ "{:>4}".format(7) }} '
        "{% for i in range(3) %}{{ loop.index }}{% else %}none{% endfor %} "
        "{% macro line(n) %}<{{ n }}>{% endmacro %}{{ line(1) ~ line(2) }} {{ [1, 2] + [3] }} {{ 7 * 6 }} {{ 2 ** 8 }} {{ 7 % 4 }}"
    )
    rendered = render(text, {"mac": "00:aa", "name": "desk"}, "it")
    assert rendered == "00AA 00aa desk-03    7 123 <1><2> [1, 2, 3] 42 256 3"
    assert (
        render('<{{ a }}{{ a ~ "<" }}{{ a|safe ~ "<" }}>', {"a": "&"}, "it", xml=True)
        == "<&amp;&amp;&lt;&&lt;>"
    )


@pytest.mark.parametrize("form", ["dnsmasq", "dhcpd", "kea", "csv", "ansible", ""])
@pytest.mark.parametrize("name", IMPORTS)
def test_import_of_nonsense_ends_with_a_message(tmp_path: Path, name: str, form: str) -> None:
    path = tmp_path / "a.conf"
    path.write_text(IMPORTS[name])
    command = [sys.executable, "-m", "netprov", "import", str(path), *(["--from", form] if form else [])]
    limited = ["prlimit", f"--as={768 << 20}", f"--cpu={20}", *command]
    result = subprocess.run(limited, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode in {1, 2}
    assert "Traceback" not in result.stderr
    assert str(path) in result.stderr
    assert len(result.stderr) < 4000
