"""The rules of the house hold; and each checker is proved by breaking its rule once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import api, house

ROOT = Path(__file__).parent.parent


def tracked_files() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    output = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [name for name in output.split("\0") if name]


def test_every_room_imports_only_the_floor_and_itself() -> None:
    assert house.import_faults(ROOT) == []


def test_the_top_level_is_as_it_should_be() -> None:
    assert house.top_level_faults(ROOT, {name.split("/")[0] for name in tracked_files()}) == []


def test_every_package_is_listed() -> None:
    assert house.package_faults(ROOT) == []


def test_nothing_but_dnspython_is_needed_at_run_time() -> None:
    assert house.dependency_faults(ROOT) == []


def test_every_fixture_says_where_it_comes_from() -> None:
    assert house.fixture_faults(ROOT) == []


def test_every_cited_rfc_has_its_requirement_and_its_test() -> None:
    assert house.citation_faults(ROOT) == []


def test_no_path_of_a_machine_stands_in_the_tree() -> None:
    assert house.private_path_faults(ROOT, tracked_files()) == []


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="signatures are spelled a little differently elsewhere")
@pytest.mark.parametrize("room", house.ROOMS)
def test_public_names_are_those_promised(room: str) -> None:
    promised = ROOT / "tests" / "api" / f"{room}.txt"
    assert promised.is_file(), "a snapshot is missing; write it with: python -m tests.support.api"
    assert api.public_names(room) == promised.read_text(encoding="utf-8"), (
        "a promise changed; if it is meant, run: python -m tests.support.api"
    )


@pytest.mark.parametrize("room", house.ROOMS)
def test_every_room_is_a_program_and_has_a_manual(room: str) -> None:
    folder = ROOT / "mailgate" / room
    text = (folder / "__init__.py").read_text(encoding="utf-8")
    assert text.startswith(('r"""', '"""'))
    if room not in ("records", "resolver"):
        assert (folder / "__main__.py").is_file()


# --- the checkers, checked -------------------------------------------------------------------------------------------


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("file", "line", "why"),
    [
        ("mailgate/bounce/_x.py", "import mailgate.fbl", "bounce imports mailgate.fbl"),
        ("mailgate/bounce/_x.py", "def f():\n    from mailgate.suppression import X", "bounce imports"),
        ("mailgate/bounce/_x.py", "from mailgate.records._mail import Mail", "not a public name of the floor"),
        ("mailgate/bounce/_x.py", "from mailgate.cli import main", "bounce imports mailgate.cli"),
        ("mailgate/bounce/_x.py", "import dns.resolver", "imports dns"),
        ("mailgate/bounce/_x.py", "import requests", "imports requests"),
        ("mailgate/bounce/_x.py", "from . import _y", "relative import"),
        ("mailgate/records/_x.py", "from mailgate.bounce import parse", "records imports mailgate.bounce"),
        ("mailgate/cli/_x.py", "from mailgate.bounce._dsn import read", "public names only"),
        ("mailgate/cli/_x.py", "from mailgate.bounce import _dsn", "public names only"),
        ("mailgate/__init__.py", "from mailgate.records import Mail", "may import nothing"),
        ("mailgate/bounce/__main__.py", "from mailgate.bounce import parse", "only the roof"),
    ],
)
def test_a_wrong_import_is_seen(tmp_path: Path, file: str, line: str, why: str) -> None:
    (fault,) = house.import_faults(tree(tmp_path, {file: line + "\n"}))
    assert fault.startswith(file)
    assert why in fault


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("mailgate/bounce/_x.py", "from mailgate.records import Mail"),
        ("mailgate/bounce/_x.py", "from mailgate.bounce._y import z"),
        ("mailgate/bounce/_x.py", "import sqlite3, email.header"),
        ("mailgate/resolver/_x.py", "import dns.asyncresolver"),
        ("mailgate/cli/_x.py", "from mailgate.bounce import parse"),
        ("mailgate/bounce/__main__.py", "from mailgate.cli import main"),
    ],
)
def test_a_right_import_is_not_blamed(tmp_path: Path, file: str, line: str) -> None:
    assert house.import_faults(tree(tmp_path, {file: line + "\n"})) == []


def test_a_stranger_at_the_top_level_is_seen(tmp_path: Path) -> None:
    assert house.top_level_faults(tmp_path, {*house.TOP_LEVEL, ".ci", "setup.cfg"}) == [
        "does not belong at the top level: setup.cfg"
    ]
    assert house.top_level_faults(tmp_path, house.TOP_LEVEL - {"LICENSE"}) == ["missing at the top level: LICENSE"]


def test_an_unlisted_package_is_seen(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "pyproject.toml": '[tool.setuptools]\npackages = ["mailgate", "mailgate.gone"]\n',
            "mailgate/__init__.py": "",
            "mailgate/new/__init__.py": "",
        },
    )
    assert house.package_faults(root) == [
        "not listed in pyproject.toml: mailgate.new",
        "listed but not there: mailgate.gone",
    ]


def test_a_further_dependency_is_seen(tmp_path: Path) -> None:
    root = tree(tmp_path, {"pyproject.toml": '[project]\ndependencies = ["dnspython>=2", "lxml[html]>=5"]\n'})
    assert house.dependency_faults(root) == ["a run-time dependency: lxml"]


def test_a_fixture_without_a_source_and_a_line_without_a_fixture_are_seen(tmp_path: Path) -> None:
    index = "path\tsource\tlicence\tshows\na/x.eml\tus\tMIT\tx\ngone.eml\tus\tMIT\tx\nb/\tus\tMIT\tfolder\nshort\tus\n"
    root = tree(
        tmp_path,
        {
            "fixtures/INDEX.tsv": index,
            "fixtures/a/x.eml": "",
            "fixtures/a/x.json": "",
            "fixtures/a/unknown.eml": "",
            "fixtures/b/c/y": "",
            "fixtures/LICENSES/us.txt": "",
        },
    )
    faults = house.fixture_faults(root)
    assert len(faults) == 3
    assert any("no such fixture: gone.eml" in fault for fault in faults)
    assert any("not in INDEX.tsv: a/unknown.eml" in fault for fault in faults)
    assert any("INDEX.tsv:5" in fault for fault in faults)


def test_a_citation_without_a_requirement_is_seen(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "mailgate/a.py": "# RFC 3464 2.3.3 and RFC 9999 1\n",
            "tests/test_a.py": "def test_x(): ...\n",
            "tests/conformance/requirements.tsv": "a\tb\tc\nRFC 3464 2.3\tx\ttests/test_a.py::test_x\n"
            "RFC 3464 2.4\tx\ttests/test_a.py::test_gone\n",
        },
    )
    faults = house.citation_faults(root)
    assert len(faults) == 2
    assert "test_gone" in faults[0]
    assert "RFC 9999" in faults[1]


def test_a_path_of_a_machine_is_seen(tmp_path: Path) -> None:
    place = "/" + "work" + "/main/x"
    root = tree(tmp_path, {"README.md": f"see {place}", "ok.md": "a/work/b and https://x.example/work/"})
    assert house.private_path_faults(root, ["README.md", "ok.md", "absent"]) == [f"README.md: {place[:6]}"]


def test_a_changed_promise_is_seen() -> None:
    def before(name: str, *, size: int = 1) -> str:
        return name * size

    def after(name: str, *, size: int = 2) -> str:
        return name * size

    assert api.describe("f", before) == ["def f(name: str, *, size: int = 1) -> str"]
    assert api.describe("f", before) != api.describe("f", after)
    assert "class Address" in api.public_names("records")
    assert "    classmethod parse(cls, text: str) -> Address" in api.public_names("records").splitlines()
