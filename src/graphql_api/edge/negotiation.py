"""Which media type answers, by the Accept header; and whether a browser asks for the page."""

from dataclasses import dataclass

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an Accept header, with its weight."""

    name: str
    weight: float

    def fits(self, media_type: str) -> int:
        """How closely it fits: 3 by name, 2 by its kind, 1 as anything, 0 not."""
        if self.name == media_type:
            return 3
        if self.name == f"{media_type.partition('/')[0]}/*":
            return 2
        return 1 if self.name == "*/*" else 0


def answer_type(accept: str | None) -> str | None:
    """The type to answer in; None where the client takes none of ours.

    Who says nothing, or takes anything, is a client from before the new type was agreed on.
    """
    ranges = _ranges(accept or "*/*")
    graphql, json = _wanted(ranges, GRAPHQL), _wanted(ranges, JSON)
    if max(graphql, json)[0] <= 0:
        return None
    return GRAPHQL if graphql >= json and graphql[1] == 3 else JSON


def names_json(accept: str | None) -> bool:
    """Whether one of our types is asked for by name, as no link, form or image does."""
    return any(r.name in {GRAPHQL, JSON} and r.weight > 0 for r in _ranges(accept or ""))


def wants_page(accept: str | None) -> bool:
    """Whether HTML is asked for by name, and no less than JSON."""
    ranges = _ranges(accept or "")
    named = max((r.weight for r in ranges if r.name == HTML), default=0.0)
    return named > 0 and named >= max(r.weight if r.name in {GRAPHQL, JSON} else 0 for r in ranges)


def _wanted(ranges: list[_Range], media_type: str) -> tuple[float, int]:
    """The weight of the range that fits best, and how closely it does."""
    fitting = [(range_.fits(media_type), range_.weight) for range_ in ranges]
    closest = max((fit for fit, _ in fitting), default=0)
    weight = max((w for fit, w in fitting if fit == closest and fit), default=0.0)
    return weight, closest


def _ranges(accept: str) -> list[_Range]:
    return [_range(part) for part in accept.lower().split(",") if part.strip()]


def _range(part: str) -> _Range:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    weights = [p.removeprefix("q=") for p in parameters if p.startswith("q=")]
    charsets = {p.removeprefix("charset=").strip('"') for p in parameters if "charset=" in p}
    if charsets - {"utf-8", "utf8"}:
        return _Range(name, 0.0)
    try:
        return _Range(name, min(max(float(weights[0]), 0.0), 1.0) if weights else 1.0)
    except ValueError:
        return _Range(name, 0.0)
