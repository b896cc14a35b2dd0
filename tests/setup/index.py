"""A local index of stub packages: of every locked one the locked release, and a newer one to be tempted by."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BACKEND = '''
"""A build backend that makes an editable wheel of what pyproject.toml says, and knows no file."""
import tomllib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with open("pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    name = f"{project['name']}-{project['version']}"
    needs = "".join(f"Requires-Dist: {need}\\n" for need in project["dependencies"])
    lines = {
        "METADATA": f"Metadata-Version: 2.1\\nName: {project['name']}\\nVersion: {project['version']}\\n{needs}",
        "WHEEL": "Wheel-Version: 1.0\\nGenerator: stub\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(f"{folder}/{name}-py3-none-any.whl", "w") as wheel:
        for file, text in lines.items():
            wheel.writestr(f"{name}.dist-info/{file}", text)
    return f"{name}-py3-none-any.whl"
'''


@dataclass(frozen=True, slots=True)
class Entry:
    """One package as a lock names it: `coverage[toml]==7.17.3 ; python_version < '4'`."""

    line: str

    @property
    def requirement(self) -> Requirement:
        return Requirement(self.line)

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (pin,) = self.requirement.specifier
        assert pin.operator == "=="
        return pin.version

    @property
    def applies(self) -> bool:
        marker = self.requirement.marker
        return marker is None or marker.evaluate()

    @property
    def newer(self) -> str:
        """A release that is newer than the locked one, and fits whatever range the locked one fits."""
        return f"{self.version.partition('.post')[0]}.post999"

    @property
    def needs(self) -> tuple[str, ...]:
        """What the real package requires, where the locked release of it is installed here."""
        return tuple(real.requires or ()) if (real := self._real()) else ()

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras that the real package has, where the locked release of it is installed here."""
        return tuple(real.metadata.get_all("Provides-Extra") or ()) if (real := self._real()) else ()

    def _real(self) -> metadata.Distribution | None:
        try:
            real = metadata.distribution(self.name)
        except metadata.PackageNotFoundError:
            return None
        return real if real.version == self.version else None


def read_lock(lock: Path) -> tuple[Entry, ...]:
    return tuple(
        Entry(line.rstrip("\\").strip())
        for line in lock.read_text().splitlines()
        if line and line[0] not in " #"
    )


class Index:
    """A folder as PEP 503 lays it out, served by nothing: pip reads it as file://."""

    def __init__(self, folder: Path, entries: Iterable[Entry]) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}
        for entry in entries:
            page = folder / "simple" / entry.name
            page.mkdir(parents=True, exist_ok=True)
            for version in (entry.newer, entry.version):
                octets = wheel(entry, version)
                (page / wheel_name(entry.name, version)).write_bytes(octets)
            self.hashes[entry.line] = hashlib.sha256(octets).hexdigest()
            links = "".join(f'<a href="{file.name}">{file.name}</a>\n' for file in sorted(page.glob("*.whl")))
            (page / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")

    @property
    def url(self) -> str:
        return (self.folder / "simple").as_uri()

    def file(self, entry: Entry) -> Path:
        """Return the wheel of the locked release."""
        return self.folder / "simple" / entry.name / wheel_name(entry.name, entry.version)

    def lock(self, entries: Iterable[Entry]) -> str:
        """Write entries as the lock that belongs to this index: lines as they are, the stubs' hashes."""
        return "".join(f"{each.line} \\\n    --hash=sha256:{self.hashes[each.line]}\n" for each in entries)


def wheel_name(name: str, version: str) -> str:
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def wheel(entry: Entry, version: str) -> bytes:
    """Make the octets of a wheel with the metadata of the real package and next to no code."""
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as file:
        for path, text in files(entry, version).items():
            file.writestr(zipfile.ZipInfo(path), text)
    return octets.getvalue()


def files(entry: Entry, version: str) -> Mapping[str, str]:
    name = entry.name.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    lines = [
        f"Metadata-Version: 2.1\nName: {entry.name}\nVersion: {version}\n",
        *(f"Provides-Extra: {extra}\n" for extra in entry.extras),
        *(f"Requires-Dist: {need}\n" for need in entry.needs),
    ]
    return {
        **({"hatchling/__init__.py": "", "hatchling/build.py": BACKEND} if name == "hatchling" else {}),
        f"stub_{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": "".join(lines),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: stub\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
