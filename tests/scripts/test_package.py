"""The zip that functions run: slim, with bytecode that its runtime takes, equal when made again."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import package
from scripts.package import MAGIC, PackageError, here

PYTHON, ARCH = here()
OTHER = next(version for version in MAGIC if version != PYTHON)


def made(folder: Path) -> Path:
    """A package of two modules, with their bytecode."""
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "till.py").write_text("OPEN = True\n")
    package._compile(folder, sys.executable)
    return folder


def test_magic_of_this_python_is_what_the_table_says() -> None:
    assert MAGIC[PYTHON] == importlib.util.MAGIC_NUMBER


def test_runtime_brings_boto_and_the_embedded_aws_does_not() -> None:
    names = {line.partition("==")[0] for line in package.requirements(local=False).splitlines()}
    assert not names & package.IN_THE_RUNTIME
    assert {"strawberry-graphql", "pynamodb", "cryptography"} <= names
    assert "botocore==" in package.requirements(local=True)


def test_every_module_has_bytecode_of_its_runtime(tmp_path: Path) -> None:
    folder = made(tmp_path / "zip")
    assert package.problems(folder, PYTHON) == []
    assert package.problems(folder, OTHER) == [
        f"shop/__init__.py has no bytecode of Python {OTHER}",
        f"shop/till.py has no bytecode of Python {OTHER}",
    ]
    [compiled] = (folder / "shop" / "__pycache__").glob("till.*.pyc")
    compiled.write_bytes(MAGIC[OTHER] + compiled.read_bytes()[4:])
    assert package.problems(folder, PYTHON) == [
        f"shop/till.py has bytecode of another Python than {PYTHON}"
    ]


def test_zip_whose_bytecode_is_not_that_of_the_runtime_is_refused(tmp_path: Path) -> None:
    file = package._zip(made(tmp_path / "zip"), PYTHON, ARCH).file
    package.require_fit(file, PYTHON)
    with pytest.raises(PackageError, match=f"no bytecode of Python {OTHER}"):
        package.require_fit(file, OTHER)
    with pytest.raises(PackageError, match=r"no runtime python2\.7"):
        package.require_fit(file, "2.7")


def test_zip_with_foreign_bytecode_under_the_right_name_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "zip")
    for compiled in folder.rglob("till.*.pyc"):
        compiled.write_bytes(MAGIC[OTHER] + compiled.read_bytes()[4:])
    file = package._zip(folder, PYTHON, ARCH).file
    with pytest.raises(PackageError, match=f"is not bytecode of Python {PYTHON}"):
        package.require_fit(file, PYTHON)


def test_zip_without_bytecode_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "zip")
    shutil.rmtree(folder / "shop" / "__pycache__")
    with pytest.raises(PackageError, match="has no bytecode"):
        package.require_fit(package._zip(folder, PYTHON, ARCH).file, PYTHON)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(PackageError, match="no modules"):
        package.require_fit(package._zip(empty, PYTHON, ARCH).file, PYTHON)


def test_equal_contents_make_an_equal_zip(tmp_path: Path) -> None:
    one = package._zip(made(tmp_path / "one"), PYTHON, ARCH)
    other = package._zip(made(tmp_path / "other"), PYTHON, ARCH)
    assert one.sha256 == other.sha256
    assert one.file.read_bytes() == other.file.read_bytes()
    (tmp_path / "other" / "shop" / "till.py").write_text("OPEN = False\n")
    assert package._zip(tmp_path / "other", PYTHON, ARCH).sha256 != one.sha256


def test_tests_stubs_and_records_stay_out(tmp_path: Path) -> None:
    folder = made(tmp_path / "zip")
    unneeded = ["shop/tests/test_till.py", "shop/till.pyi", "shop-1.dist-info/RECORD", "bin/shop"]
    kept = ["shop-1.dist-info/METADATA", "shop-1.dist-info/entry_points.txt", "shop/data.json"]
    for name in unneeded + kept:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    package._slim(folder)
    left = {file.relative_to(folder).as_posix() for file in package._files(folder)}
    assert left == {"shop/__init__.py", "shop/till.py", *kept}


def test_interpreter_of_another_version_is_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PYENV_ROOT", "/nowhere")
    monkeypatch.setenv("PY_BIN", sys.executable)
    assert package._interpreter(PYTHON) == sys.executable
    with pytest.raises(PackageError, match=rf"made by a Python {OTHER}.*PY={PYTHON}"):
        package._interpreter(OTHER)


def test_report_names_the_largest_parts(tmp_path: Path) -> None:
    told = package.report(package._zip(made(tmp_path / "zip"), PYTHON, ARCH)).splitlines()
    assert f"Python {PYTHON}, {ARCH}" in told[0]
    assert told[1].endswith("MB  shop")


def test_code_that_does_not_compile_makes_no_zip(tmp_path: Path) -> None:
    (tmp_path / "till.py").write_text("def broken(:\n")
    with pytest.raises(PackageError, match="Not everything compiles"):
        package._compile(tmp_path, sys.executable)


def test_help_says_how_it_is_called() -> None:
    command = [sys.executable, "-m", "scripts.package", "--help"]
    told = subprocess.run(command, cwd=package.ROOT, capture_output=True, text=True, check=True)
    assert "--local" in told.stdout


def test_zip_files_carry_no_date(tmp_path: Path) -> None:
    file = package._zip(made(tmp_path / "zip"), PYTHON, ARCH).file
    with zipfile.ZipFile(file) as zipped:
        assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
