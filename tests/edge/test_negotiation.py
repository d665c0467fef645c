"""Which media type answers, for what clients say that they take."""

import pytest

from graphql_api.edge.negotiation import GRAPHQL, JSON, answer_type, names_json, wants_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("application/json, text/plain, */*", JSON),
        ("Application/JSON; Charset=UTF-8", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON};q=0.9, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.9", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{GRAPHQL};q=0.5, */*", JSON),
        (f"*/*;q=0.1, {GRAPHQL};q=0.5", GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8", GRAPHQL),
        (BROWSER, JSON),
        ("text/html", None),
        ("image/png, text/*", None),
        (f"{JSON};q=0", None),
        ("*/*;q=0", None),
        (f"{JSON};q=x", None),
        (f"{JSON};charset=utf-16", None),
        (",;=,q=1", None),
    ],
)
def test_type_that_fits_best_answers(accept: str | None, chosen: str | None) -> None:
    assert answer_type(accept) == chosen


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html;q=0.9, */*", True),
        ("*/*", False),
        ("text/*", False),
        (None, False),
        ("text/html;q=0", False),
        (f"{JSON}, text/html;q=0.9", False),
        (f"{JSON}, text/html", True),
    ],
)
def test_page_is_for_those_who_name_html(accept: str | None, page: bool) -> None:
    assert wants_page(accept) is page


@pytest.mark.parametrize(
    ("accept", "named"),
    [
        (JSON, True),
        (f"{GRAPHQL}, */*", True),
        ("*/*", False),
        (None, False),
        (f"{JSON};q=0", False),
    ],
)
def test_json_is_named_or_not(accept: str | None, named: bool) -> None:
    assert names_json(accept) is named
