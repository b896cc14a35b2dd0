"""Servers that are not ours, started on a lab's host with what `netprov export` wrote."""

from __future__ import annotations

import time
from pathlib import Path

from netprov.cli.site import Opened
from netprov.cli.verb.inventory.export import export_files
from netprov.export.written import Export
from netprov.runtime.web.tls import certificate_store
from netprov.state.catalog import load_catalog


def write(export: Export, out: Path) -> None:
    """Write an export's files as the verb does."""
    texts = {name: text.encode() for name, text in export.files.items()}
    for name, data in {**texts, **export.octets}.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)


def files(opened: Opened, state: Path, out: Path) -> None:
    """Export what phones get for nginx and for a TFTP server, with certificates of a new authority."""
    state.mkdir(exist_ok=True)
    certificate_store(state).ensure(opened.plan.pki, time.time())
    load_catalog(opened.plan.provision, state)
    for engine in ("nginx", "tftp"):
        write(export_files(engine, opened, state), out)
