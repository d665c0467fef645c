"""Manifests: every document that a live version sends fits the schema as it is."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from graphql_api import auth
from graphql_api.viewer import MANAGE_DOCUMENTS, Role
from scripts import manifest
from tests.conftest import Client

CARD = "query MyCard { me { member { memberNo } } }"
TOKEN = auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({MANAGE_DOCUMENTS}))


def post(body: dict[str, Any]) -> Any:
    """Ask the API without a server."""
    return Client().post(body["query"], token=TOKEN, **body["variables"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a client whose documents are generated, and no manifest."""
    generated = tmp_path / "generated.json"
    generated.write_text(json.dumps({hashlib.sha256(CARD.encode()).hexdigest(): CARD}))
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    monkeypatch.setattr(manifest, "FOLDER", tmp_path / "manifests")
    monkeypatch.setattr(manifest, "GENERATED", {"mini_program": generated})
    return tmp_path


def test_what_live_versions_send_fits_the_schema() -> None:
    assert list(manifest.FOLDER.glob("mini_program-*.json"))
    assert manifest.check() == []


def test_a_document_that_a_schema_breaks_is_named(folder: Path) -> None:
    path = manifest.make("mini_program", "1.0.0")
    broken = build_schema("type Query { me: Me } type Me { member: Member } type Member { id: ID }")
    [problem] = manifest.problems(broken, path)
    assert problem.startswith("mini_program-1.0.0.json: MyCard: Cannot query field 'memberNo'")


def test_a_manifest_is_made_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert manifest.main(["make", "mini_program", "1.0.0"]) == 0
    assert manifest.main(["make", "mini_program", "1.0.0"]) == 0
    assert manifest.named(manifest.path_of("mini_program", "1.0.0")) == ("mini_program", "1.0.0")
    manifest.GENERATED["mini_program"].write_text("{}")
    assert manifest.main(["make", "mini_program", "1.0.0"]) == 1
    assert "another version" in capsys.readouterr().err
    assert manifest.main(["make", "console", "1.0.0"]) == 1


def test_a_text_that_was_changed_by_hand_is_found(folder: Path) -> None:
    path = manifest.make("mini_program", "1.0.0")
    path.write_text(path.read_text().replace("memberNo", "id"))
    with pytest.raises(manifest.Refused, match="is not the SHA-256"):
        manifest.read(path)


def test_a_version_is_published_listed_and_retired(folder: Path, chain: str) -> None:
    manifest.make("mini_program", "1.0.0")
    assert manifest.publish("mini_program", "1.0.0", post) == (
        "mini_program 1.0.0: PUBLISHED, 1 documents"
    )
    assert manifest.listed(post) == ["mini_program 1.0.0: PUBLISHED, 1 documents"]
    assert manifest.retire("mini_program", "1.0.0", post) == "mini_program 1.0.0: RETIRED"
    generated = manifest.GENERATED["mini_program"].read_bytes()
    assert (
        manifest.publish_all()
        == manifest.listed(post)
        == [
            "mini_program 1.0.0: PUBLISHED, 1 documents",
            f"mini_program dev-{hashlib.sha256(generated).hexdigest()[:8]}: PUBLISHED, 1 documents",
        ]
    )
    path = manifest.path_of("mini_program", "1.0.0")
    other = "query Other { me { id } }"
    path.write_text(json.dumps({hashlib.sha256(other.encode()).hexdigest(): other}))
    assert manifest.publish_all()[0] == (
        "mini_program 1.0.0: not published. This version has other documents"
    )
    with pytest.raises(manifest.Refused, match="NOT_FOUND"):
        manifest.retire("mini_program", "2.0.0", post)
