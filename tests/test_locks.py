"""The locks: they satisfy pyproject.toml, carry hashes, and name no place to download from."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME: list[str] = PROJECT["dependencies"]
DEV: list[str] = PROJECT["optional-dependencies"]["dev"]
LOCKS = sorted(ROOT.glob("requirements/*.txt")) + sorted(ROOT.glob("tools/*/requirements.txt"))

Pins = dict[str, set[str]]


def entries(lock: Path) -> list[str]:
    """The pinned requirements of a lock, each with its hashes, one line each."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    return text.replace("\\\n", " ").splitlines()


def pins(name: str) -> Pins:
    """The versions of each package; several where they differ by platform or Python."""
    found: Pins = {}
    for entry in entries(ROOT / "requirements" / f"{name}.txt"):
        requirement = Requirement(entry.partition(" --hash")[0])
        [specifier] = requirement.specifier
        found.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return found


@pytest.mark.parametrize(("lock", "wanted"), [("runtime", RUNTIME), ("dev", RUNTIME + DEV)])
def test_lock_satisfies_the_project(lock: str, wanted: list[str]) -> None:
    pinned = pins(lock)
    unmet = [
        text
        for text in wanted
        if not (versions := pinned.get(canonicalize_name(Requirement(text).name)))
        or not all(Requirement(text).specifier.contains(version) for version in versions)
    ]
    assert unmet == [], "run `make lock`"


def test_development_runs_what_is_deployed() -> None:
    deployed, developed = pins("runtime"), pins("dev")
    assert {name: developed.get(name) for name in deployed} == deployed


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_lock_holds_pins_and_hashes_only(lock: Path) -> None:
    assert re.findall(r"https?:|file:|/home/|/ro{2}t/|/tmp/", lock.read_text()) == []
    strange = [
        entry
        for entry in entries(lock)
        if not re.fullmatch(r"[\w.-]+==\S+( ; [^-]+?)?\s*(\s+--hash=sha256:[0-9a-f]{64})+", entry)
    ]
    assert strange == []


@pytest.mark.parametrize("client", ["graphiql", "miniprogram"])
def test_lock_of_npm_holds_hashes_and_no_address(client: str) -> None:
    folder = ROOT / "clients" / client
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    locked = {name: entry for name, entry in packages.items() if name}
    assert [n for n, e in locked.items() if not e.get("integrity") or "resolved" in e] == []
    wanted = json.loads((folder / "package.json").read_text())
    exact = {**wanted.get("dependencies", {}), **wanted["devDependencies"]}
    assert {n: locked[f"node_modules/{n}"]["version"] for n in exact} == exact
