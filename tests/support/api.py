"""The public names of each room with their signatures: the promise that tests/api/*.txt keeps.

`python -m tests.support.api` rewrites the snapshots; a diff of them is a promise changed.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import re
from pathlib import Path

from tests.support.house import ROOMS

FOLDER = Path(__file__).parent.parent / "api"


def public_names(room: str) -> str:
    """One line for each public name, and one for each public member of a class, sorted."""
    module = importlib.import_module(f"mailgate.{room}")
    lines = [line for name in sorted(module.__all__) for line in describe(name, getattr(module, name))]
    return "\n".join(lines) + "\n"


def describe(name: str, value: object) -> list[str]:
    if inspect.isclass(value):
        return [f"class {name}{_bases(value)}", *(f"    {line}" for line in _members(value))]
    if callable(value):
        return [f"def {name}{_signature(value)}"]
    return [f"{name}: {type(value).__name__}"]


def _bases(cls: type) -> str:
    names = [base.__name__ for base in cls.__bases__ if base is not object]
    return f"({', '.join(names)})" if names else ""


def _members(cls: type) -> list[str]:
    if issubclass(cls, enum.Enum):
        return [f"{member.name} = {member.value!r}" for member in cls]
    if dataclasses.is_dataclass(cls):
        fields = [f"{field.name}: {field.type}" for field in dataclasses.fields(cls) if not field.name.startswith("_")]
    else:
        fields = []
    methods = []
    for name, member in sorted(vars(cls).items()):
        if name.startswith("_") and not (name == "__init__" and not fields):
            continue
        if isinstance(member, property):
            methods.append(f"property {name}")
        elif isinstance(member, classmethod | staticmethod):
            methods.append(f"{type(member).__name__} {name}{_signature(member.__func__)}")
        elif inspect.isfunction(member):
            methods.append(f"def {name}{_signature(member)}")
    return fields + methods


def _signature(function: object) -> str:
    try:
        text = str(inspect.signature(function))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(...)"
    # Addresses of default objects differ from run to run; annotations are kept as text, with or without quotes.
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    # A set has another order in every process.
    text = re.sub(r"(?<=frozenset\(\{)[^}]*(?=\}\))", lambda found: ", ".join(sorted(found[0].split(", "))), text)
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)


def main() -> None:
    """Rewrite every snapshot."""
    FOLDER.mkdir(exist_ok=True)
    for room in ROOMS:
        (FOLDER / f"{room}.txt").write_text(public_names(room), encoding="utf-8")


if __name__ == "__main__":
    main()
