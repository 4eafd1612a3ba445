"""The rules of the house as functions over a checkout; each answers the list of what breaks it, empty when all is well.

They take the root of a tree, so that a test can break a rule in a small tree of its own and see red.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOMS = (
    "records",
    "resolver",
    "maildir",
    "validator",
    "suppression",
    "bounce",
    "fbl",
    "dmarc",
    "engagement",
    "unsubscribe",
    "cli",
)
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "mailgate", "tests", "fixtures", "examples"}
FLOOR = "records"
ROOF = "cli"
ONLY_IMPORTER_OF_DNS = "resolver"

_RFC_CITATION = re.compile(r"RFC (\d{3,5})(?:,? (\d+(?:\.\d+)*))?")


def imports(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """(line, module, name or None) of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield node.lineno, module, alias.name


def import_faults(root: Path) -> list[str]:
    """A room imports the standard library, `mailgate.records` and itself; the roof any room by public name."""
    faults = []
    for path in sorted((root / "mailgate").rglob("*.py")):
        relative = path.relative_to(root / "mailgate")
        room = relative.parts[0] if len(relative.parts) > 1 else None
        for line, module, name in imports(path):
            why = _import_fault(room, path.name, module, name)
            if why:
                faults.append(f"mailgate/{relative}:{line}: {why}")
    return faults


def _import_fault(room: str | None, file: str, module: str, name: str | None) -> str | None:
    if module.startswith("."):
        return "relative import; write mailgate.<room> so that it can be searched"
    top, _, rest = module.partition(".")
    if top != "mailgate":
        return _foreign_fault(room, top)
    if file == "__main__.py":
        return (
            None if rest == ROOF and name in ("main", "entry_point") else f"a __main__ imports only the roof: {module}"
        )
    if room is None:
        return f"mailgate/{file} imports {module}; it may import nothing"
    if not rest:
        whole = name == "__version__" or name in ROOMS
        return None if room == ROOF and whole else f"imports {name} from mailgate itself"
    other, _, private = rest.partition(".")
    if other == room:
        return None
    if room == ROOF:
        if private or (name or "").startswith("_"):
            return f"the roof takes public names only: {module}.{name}"
        return None
    if other == FLOOR:
        return f"not a public name of the floor: {module}.{name}" if private or (name or "").startswith("_") else None
    return f"{room} imports {module}"


def _foreign_fault(room: str | None, top: str) -> str | None:
    if top in sys.stdlib_module_names or top in ("__future__", "_typeshed"):  # the latter exists for mypy alone
        return None
    if top == "dns" and room == ONLY_IMPORTER_OF_DNS:
        return None
    if top == "psycopg" and room == ROOF:
        return None  # the `postgres` extra, imported only when a PostgreSQL URL is given
    return f"imports {top}, which is neither the standard library nor allowed here"


def top_level_faults(root: Path, names: set[str]) -> list[str]:
    """The top level is fixed; files that start with a dot are free. names: what the version control tracks there."""
    seen = {name for name in names if not name.startswith(".")}
    return [f"does not belong at the top level: {name}" for name in sorted(seen - TOP_LEVEL)] + [
        f"missing at the top level: {name}" for name in sorted(TOP_LEVEL - seen)
    ]


def package_faults(root: Path) -> list[str]:
    """pyproject.toml lists exactly the packages that there are."""
    listed = set(tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {".".join(path.parent.relative_to(root).parts) for path in (root / "mailgate").rglob("__init__.py")}
    return [f"not listed in pyproject.toml: {name}" for name in sorted(found - listed)] + [
        f"listed but not there: {name}" for name in sorted(listed - found)
    ]


def dependency_faults(root: Path) -> list[str]:
    """At run time: dnspython and nothing else."""
    names = [re.split(r"[<>=!~ \[;]", text)[0] for text in _project(root)["dependencies"]]
    return [f"a run-time dependency: {name}" for name in names if name != "dnspython"]


def _project(root: Path) -> dict[str, list[str]]:
    project: dict[str, list[str]] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return project


def fixture_faults(root: Path) -> list[str]:
    """Every fixture has a line in fixtures/INDEX.tsv, with source and licence, and every line has its fixture.

    A line may name a folder (ending in `/`) whose files share source and licence. An expectation (`name.json` beside
    `name.eml`) needs no line of its own; neither do the licence texts.
    """
    folder = root / "fixtures"
    with (folder / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    faults: list[str] = []
    listed: set[str] = set()
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 4 or not all(cell.strip() for cell in row):
            faults.append(f"INDEX.tsv:{number}: needs path, source, licence and what it shows: {row}")
            continue
        if row[0] in listed:
            faults.append(f"INDEX.tsv:{number}: listed twice: {row[0]}")
        listed.add(row[0])
        if not (folder / row[0]).exists():
            faults.append(f"INDEX.tsv:{number}: no such fixture: {row[0]}")
    return faults + [f"not in INDEX.tsv: {path}" for path in _fixtures(folder) if not _is_listed(path, listed, folder)]


def _fixtures(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and relative != "INDEX.tsv" and not relative.startswith("LICENSES/"):
            yield relative


def _is_listed(path: str, listed: set[str], folder: Path) -> bool:
    if path in listed:
        return True
    parents = path.split("/")[:-1]
    if any("/".join(parents[: n + 1]) + "/" in listed for n in range(len(parents))):
        return True
    stem, dot, ending = path.rpartition(".")
    return (
        bool(dot)
        and ending == "json"
        and any(f"{stem}{other}" in listed for other in (".eml", ".xml", ".html", ".txt", ""))
    )


def citation_faults(root: Path) -> list[str]:
    """Every RFC that the code cites stands in tests/conformance/requirements.tsv, and every test named there exists."""
    rows = _requirements(root)
    known = {match[1] for row in rows for match in _RFC_CITATION.finditer(row[0])}
    faults = [f"requirements.tsv: no such test: {row[2]}" for row in rows if not _test_exists(root, row[2])]
    cited: dict[str, str] = {}
    for path in sorted((root / "mailgate").rglob("*.py")):
        for match in _RFC_CITATION.finditer(path.read_text(encoding="utf-8")):
            cited.setdefault(match[1], str(path.relative_to(root)))
    return faults + [
        f"{where} cites RFC {number}, which no line of requirements.tsv covers"
        for number, where in sorted(cited.items())
        if number not in known
    ]


def _requirements(root: Path) -> list[list[str]]:
    lines = (root / "tests" / "conformance" / "requirements.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines[1:] if line]
    wrong = [row for row in rows if len(row) != 3]
    if wrong:
        raise ValueError(f"requirements.tsv needs three columns: {wrong[0]}")
    return rows


def _test_exists(root: Path, test: str) -> bool:
    file, _, name = test.partition("::")
    path = root / file
    if not path.is_file():
        return False
    function = name.split("::")[-1].split("[")[0]
    return not name or re.search(rf"def {re.escape(function)}\b", path.read_text(encoding="utf-8")) is not None


def private_path_faults(root: Path, files: list[str]) -> list[str]:
    """No path of a developer's machine stands in the tree (fixtures are as they came)."""
    pattern = re.compile(r"(?<![A-Za-z0-9_.-])/(?:work|farm|opt/mg)/")
    faults = []
    for name in files:
        if name.startswith("fixtures/") or name == "tests/support/house.py":
            continue
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        faults += [f"{name}: {match[0]}" for match in pattern.finditer(text)]
    return faults
