"""Contact ways: made once for a code, and led to the guides who work there now."""

from datetime import datetime, timedelta

from graphql_api.codes import repository as codes
from graphql_api.codes import rules as code_rules
from graphql_api.codes.models import Code
from graphql_api.connectors.wecom import contact_ways
from graphql_api.connectors.weixin_errors import Refused, said_plainly
from graphql_api.errors import (
    Conflict,
    ForbiddenTransition,
    Invalid,
    NotFound,
)
from graphql_api.friends import models, repository
from graphql_api.friends.models import ContactWay
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.observability import count, logger
from graphql_api.viewer import Viewer

ASKED_FOR = timedelta(seconds=30)
"""For how long nobody else makes the same way; longer than an answer takes."""
_SLACK = timedelta(minutes=5)
"""By how much WeCom's clock and ours may differ."""
_PAGE = 100


def make(code_id: str, *, viewer: Viewer, at: datetime) -> ContactWay:
    """The contact way of a code; made once, and led anew where its guides changed.

    Whoever died between WeCom's answer and our note left a way there: it is found by its State, and
    not made again. Refuses a code of no guide and no store, a retired one, and one that nobody
    stands behind. Unavailable, in plain words, where WeCom does not do it.
    """
    code = _code(code_id, viewer)
    user_ids = _users(code)
    if not user_ids:
        raise ForbiddenTransition("No guide at work stands behind this code", field=("id",))
    way = repository.get_way(code.id)
    with said_plainly():
        if way is not None and way.config_id is not None:
            return _led(way, code, user_ids, at)
        way = _begun(code, at)
        found = _found(way, code, at) or contact_ways.add(code.scene, user_ids, _remark(code))
        return repository.note_made(way, found.config_id, found.picture_url, user_ids, at=at)


def keep(at: datetime) -> int:
    """Lead every way to the guides who work behind its code now; how many changed.

    A way that nobody stands behind any more, or whose code was retired, is ended there. One that
    WeCom refuses says so and waits for the next day; where WeCom is away, the rest waits too.
    """
    changed = 0
    after: str | None = None
    while True:
        page = repository.page_of_ways(first=_PAGE, after=after, reverse=False)
        found = codes.get_many([way.code_id for way in page.items])
        for way, code in zip(page.items, found, strict=True):
            if way.config_id is not None:
                changed += _kept(way, code, at)
        if not page.more:
            return changed
        after = page.last


def _kept(way: ContactWay, code: Code | None, at: datetime) -> bool:
    user_ids: list[str] = _users(code) if code is not None and code.retired_at is None else []
    if way.led_to == user_ids:
        return False
    try:
        if code is None or not user_ids:
            contact_ways.delete(str(way.config_id))
            repository.delete_way(way)
        else:
            _led(way, code, user_ids, at)
    except Refused as refusal:
        repository.note_refused(way, refusal.code)
        count("CONTACT_WAY_REFUSED")
        logger.warning("contact way not led", code=way.code_id, errcode=refusal.errcode)
        return False
    return True


def _led(way: ContactWay, code: Code, user_ids: list[str], at: datetime) -> ContactWay:
    if way.led_to == user_ids and way.problem is None:
        return way
    contact_ways.update(str(way.config_id), code.scene, user_ids)
    return repository.note_made(way, str(way.config_id), str(way.picture_url), user_ids, at=at)


def _begun(code: Code, at: datetime) -> ContactWay:
    """Be the only one who makes this way, for a time."""

    def attempt(tx: Transaction) -> ContactWay:
        way = repository.get_way(code.id) or ContactWay(models.way_id(code.id), code_id=code.id)
        if way.asked_at is not None and at < way.asked_at + ASKED_FOR and way.config_id is None:
            raise Conflict("This contact way is being made", field=("id",))
        way.first_asked_at = way.first_asked_at or at
        way.asked_at = at
        repository.save_way(tx, way)
        return way

    return transact(attempt)


def _found(way: ContactWay, code: Code, at: datetime) -> contact_ways.Way | None:
    """What an attempt before this one made; None for the first attempt."""
    first = way.first_asked_at
    if first is None or first == at:
        return None
    return contact_ways.find(code.scene, first - _SLACK, at + _SLACK)


def _code(code_id: str, viewer: Viewer) -> Code:
    code = codes.get(code_id) if ids.prefix_of(code_id) == "cde" else None
    if code is None or code_rules.visible(viewer, code) is None:
        raise NotFound("There is no such code", field=("id",))
    if code.retired_at is not None:
        raise ForbiddenTransition("This code is retired", field=("id",))
    if code.guide_id is None and code.store_id is None:
        raise Invalid("A contact way leads to a guide or to a store", field=("id",))
    return code


def _users(code: Code) -> list[str]:
    """The users of WeCom who stand behind a code, in alphabetical order: at most a hundred."""
    if code.guide_id is not None:
        guide = guides.get(code.guide_id)
        found = [guide] if guide is not None else []
    elif code.store_id is not None:
        page = guides.page_of_store(
            code.store_id, first=contact_ways.MAX_USERS, after=None, reverse=False
        )
        found = list(page.items)
    else:
        found = []
    return sorted(guide.wecom_user_id for guide in found if guide.status is GuideStatus.ACTIVE)


def _remark(code: Code) -> str:
    return f"{code.guide_id or code.store_id}"
