"""The template files that profiles name, read as text for the plan, which reads no files."""

from __future__ import annotations

from pathlib import Path as FilePath
from posixpath import dirname, join, normpath

from netprov.errors import InventoryError, Path, Problem
from netprov.inventory.model import Inventory
from netprov.inventory.model.provision import Profile
from netprov.inventory.yaml.source import read


def with_templates(inventory: Inventory, name: str) -> Inventory:
    """Return the inventory with the text of its template files; names start from the directory of the file `name`.

    Raises `InventoryError` for every file that cannot be read.
    """
    problems: list[Problem] = []
    profiles = {
        key: _filled(profile, dirname(name), ("profiles", key, "template_file"), problems)
        for key, profile in inventory.profiles.items()
    }
    if problems:
        raise InventoryError(problems)
    if all(profile is inventory.profiles[key] for key, profile in profiles.items()):
        return inventory
    return inventory.model_copy(update={"profiles": profiles})


def _filled(profile: Profile, directory: str, path: Path, problems: list[Problem]) -> Profile:
    if profile.template_file is None:
        return profile
    if profile.template is not None:
        remedy = "remove one of the two"
        problems.append(Problem("template-file", "the profile has a `template` already", remedy, path=path))
        return profile
    file = normpath(join(directory, profile.template_file))
    try:
        text = read(FilePath(file), file)
    except InventoryError as error:
        for each in error.problems:
            found = each
            if not (each.place and each.place.line):
                message = f"{each.place}: {each.message}"
                found = Problem("template-file", message, each.remedy, path=path)
            problems.append(found)
        return profile
    return profile.model_copy(update={"template": text, "template_file": file})
