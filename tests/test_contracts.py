"""The import contracts: every slice stands in them, and each one can fail."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "graphql_api"
ROLES = ("schema", "types", "service", "tasks", "repository", "models", "rules")
CORE = ROLES[2:]

CONFIGURATION: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {c["id"]: c for c in CONFIGURATION["tool"]["importlinter"]["contracts"]}

WRONG_IMPORTS = [
    ("inside", "stores/models.py", "from graphql_api.stores import repository"),
    ("inside", "stores/repository.py", "from graphql_api.stores import service"),
    ("inside", "stores/types.py", "from graphql_api.stores import service"),
    ("rules", "stores/rules.py", "import time"),
    ("rules", "stores/rules.py", "import pynamodb"),
    ("rules", "stores/rules.py", "from graphql_api.kit.dynamo import Page"),
    ("rules", "stores/rules.py", "from graphql_api.kit import secrecy"),
    ("rules", "stores/rules.py", "from graphql_api.kit.graphql import Rule"),
    ("core", "stores/service.py", "from graphql_api.context import Context"),
    ("core", "stores/rules.py", "import graphql"),
    ("leftwards", "stores/repository.py", "from graphql_api.connectors import models"),
    ("leftwards", "members/repository.py", "from graphql_api.access import repository"),
    ("services", "stores/types.py", "from graphql_api.connectors import service"),
    ("services", "stores/schema.py", "from graphql_api.connectors import tasks"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package, in which the rightmost slice has every role."""
    copy = tmp_path / "graphql_api"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    connectors = copy / "connectors"
    connectors.mkdir(exist_ok=True)
    for name in ("__init__", *ROLES):
        (connectors / f"{name}.py").touch()
    return copy


def lint(tree: Path, contract: str) -> tuple[int, str]:
    """How `lint-imports` ends on a tree, and what it prints."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--no-cache",
            "--no-logo",
            f"--config={ROOT / 'pyproject.toml'}",
            f"--contract={contract}",
        ],
        cwd=tree.parent,
        env={**os.environ, "PYTHONPATH": str(tree.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "file", "line"), WRONG_IMPORTS)
def test_wrong_import_breaks_the_contract(tree: Path, contract: str, file: str, line: str) -> None:
    with (tree / file).open("a") as module:
        module.write(f"\n{line}\n")
    importer = f"graphql_api.{file.removesuffix('.py').replace('/', '.')}"
    code, said = lint(tree, contract)
    assert code == 1, said
    assert f"{CONTRACTS[contract]['name']} BROKEN" in said
    assert f"{importer} is not allowed to import" in said


def test_every_contract_is_shown_to_fail() -> None:
    assert {contract for contract, _, _ in WRONG_IMPORTS} == set(CONTRACTS)


def slices() -> set[str]:
    """Every folder that holds a file or a package of a role, as a dotted name."""
    files = [file for role in ROLES for file in SOURCE.glob(f"*/**/{role}.py")]
    files += [folder for role in ROLES for folder in SOURCE.glob(f"*/{role}/")]
    folders = {file.parent.relative_to(SOURCE) for file in files}
    return {".".join(folder.parts) for folder in folders}


def test_every_slice_has_its_place_in_the_order() -> None:
    """The slices, right to left, each with all five roles of its core half."""
    named = []
    for layer in CONTRACTS["leftwards"]["layers"]:
        modules = [module.strip("()").split(".") for module in layer.split(" : ")]
        [name] = {module[1] for module in modules}
        assert [module[2] for module in modules] == list(CORE)
        named.append(name)
    assert slices() <= set(named)
    own = [
        f"graphql_api.{name}.{schema} -> graphql_api.{name}.*"
        for name in reversed(named)
        for schema in ("schema", *(["schema.*"] if (SOURCE / name / "schema").is_dir() else []))
    ]
    assert CONTRACTS["services"]["ignore_imports"] == own


@pytest.mark.parametrize("name", sorted(slices()))
def test_rules_ask_nobody_for_the_time(name: str) -> None:
    folder = SOURCE.joinpath(*name.split("."))
    files = [*folder.glob("rules.py"), *folder.glob("rules/**/*.py")]
    for tree in (ast.parse(file.read_text()) for file in files):
        asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = {alias.name for node in imports for alias in node.names}
        assert asked.isdisjoint({"now", "today", "utcnow"})
        assert imported.isdisjoint({"Clock", "real_now"})
