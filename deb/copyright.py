"""Print debian/copyright: netprov's licence, and those of the packages in a folder, as their metadata tell.

`copyright.py FOLDER`; https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/. The wheels' own licence files stay beside
their metadata, where the stanzas say.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

HEAD = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: netprov

Files: *
Copyright: 2026 netprov maintainers
License: Apache-2.0

License: Apache-2.0
 On Debian systems, the text of the Apache License, version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
"""


def main() -> None:
    """Print the whole file."""
    site = Path(sys.argv[1])
    sys.stdout.write("\n".join([HEAD, *_stanzas(site)]))


def _stanzas(site: Path) -> Iterator[str]:
    for found in sorted(metadata.distributions(path=[str(site)]), key=lambda each: each.name.lower()):
        if found.name == "netprov":
            continue
        said = found.metadata
        folder = next(each.parts[0] for each in found.files or () if each.parts[0].endswith(".dist-info"))
        tops = sorted({each.parts[0] for each in found.files or ()} - {"..", "__pycache__"})
        where = "\n ".join(f"usr/lib/netprov/*/site-packages/{top}*" for top in tops)
        author = (
            said.get("Author") or said.get("Author-email") or said.get("Maintainer-email") or "its authors"
        )
        name = f"{found.name}-{found.version}"
        terms = (
            said.get("License-Expression")
            or (said.get("License") or "").partition("\n")[0]
            or _classified(said)
        )
        yield (
            f"Files:\n {where}\nCopyright: {author.strip()}\nLicense: {name}\n\n"
            f"License: {name}\n {terms or 'as its licence file says'}.\n"
            f" The text is below /usr/lib/netprov/lib/python*/site-packages/{folder}.\n"
        )


def _classified(said: metadata.PackageMetadata) -> str:
    """Return the licence that a package's classifiers name."""
    named = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or () if "License ::" in each]
    return " or ".join(named)


if __name__ == "__main__":
    main()
