"""Bodies that WeChat and WeCom push, in XML or JSON as the console says, as one kind of tree."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_DEEPEST = 4


class Unreadable(Exception):
    """It is not what the platforms push."""


def tree(raw: bytes) -> dict[str, Any]:
    """The fields of a body, without empty ones; of those that stand in it several times, a list.

    Raises Unreadable for a body that is none, or that declares a document type or entities. What
    lies deeper than the platforms ever nest is left out.
    """
    try:
        read = orjson.loads(raw) if raw.lstrip()[:1] == b"{" else _children(_root(raw), 1)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable from None
    # WeChat's own example of a push in JSON has names that begin with a space.
    return {name.strip(): value for name, value in read.items() if value not in (None, "")}


def rows(value: object) -> list[dict[str, Any]]:
    """What stands once or several times, as a list; of anything else, nothing."""
    if isinstance(value, dict):
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _root(raw: bytes) -> Element:
    root: Element = fromstring(raw, forbid_dtd=True)
    return root


def _children(element: Element, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in element:
        value = _value(child, depth)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found


def _value(element: Element, depth: int) -> Any:
    if len(element) == 0:
        return (element.text or "").strip()
    return _children(element, depth + 1) if depth < _DEEPEST else ""
