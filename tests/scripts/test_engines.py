"""Which engine is chosen, and what is said where it cannot be had."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import dynamodb_local, emulator, engines, local
from scripts.processes import EngineError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole path; nothing is installed yet."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(dynamodb_local, "ENVIRONMENT", tmp_path / "tools" / "dynamodb-local")
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_engine_is_ministack_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGINE", raising=False)
    monkeypatch.delenv("DATA_DIR", raising=False)
    assert engines.chosen() is emulator
    assert local.data_dir() == Path(".dev")
    monkeypatch.setenv("ENGINE", "dynamodb-local")
    assert engines.chosen() is dynamodb_local
    assert local.data_dir() == Path(".dev-dynamodb-local")


def test_unknown_engine_is_refused_with_those_there_are() -> None:
    done = subprocess.run(
        (sys.executable, "-m", "scripts.engines"),
        env={"ENGINE": "dynalite"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "There is no engine dynalite: ENGINE is one of ministack, dynamodb-local.\n"
    )


def test_without_java_it_is_said_what_is_missing(programs: Path) -> None:
    with pytest.raises(EngineError) as refusal:
        dynamodb_local.ensure_environment()
    assert str(refusal.value) == (
        "DynamoDB Local needs a JDK, 17 or later, and Maven: there is no `java`. "
        "The default engine needs neither: leave ENGINE out."
    )


@pytest.mark.parametrize(
    "says",
    ['openjdk version "11.0.2" 2019-01-15', "Unable to locate a Java Runtime."],
    ids=["old", "none behind the name"],
)
def test_java_that_is_too_old_or_none_is_refused(programs: Path, says: str) -> None:
    program(programs / "java", f"echo '{says}' >&2")
    with pytest.raises(EngineError) as refusal:
        dynamodb_local.ensure_environment()
    assert str(refusal.value) == (
        f"DynamoDB Local needs Java 17 or later; `java -version` says: {says}"
    )


def test_what_maven_said_is_the_reason_when_it_fails(programs: Path) -> None:
    program(programs / "java", "echo 'openjdk version \"21\" 2023-09-19' >&2")
    program(programs / "javac", "exit 0")
    with pytest.raises(EngineError, match="there is no `mvn`"):
        dynamodb_local.ensure_environment()
    program(programs / "mvn", "echo 'no such artifact'; exit 1")
    said: list[str] = []
    with pytest.raises(EngineError) as refusal:
        dynamodb_local.ensure_environment(said.append)
    assert str(refusal.value) == "DynamoDB Local could not be installed.\nno such artifact\n"
    assert not (dynamodb_local.ENVIRONMENT / "stamp").exists()
