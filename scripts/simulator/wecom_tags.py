"""Corp tags of the simulated WeCom: groups of them, and who has which from whom."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Answer = dict[str, Any]
Pair = tuple[str, str]


@dataclass
class Tags:
    """`marks` are of a user and a customer; `is_tied` says whether the two are friends."""

    groups: dict[str, dict[str, str]] = field(default_factory=dict)
    marks: dict[Pair, set[str]] = field(default_factory=dict)
    is_tied: Callable[[Pair], bool] = lambda _pair: True
    calls_made: int = 0

    @property
    def calls(self) -> dict[str, Callable[[Answer, datetime], Answer]]:
        """What is answered, by path."""
        return {
            "get_corp_tag_list": self._list,
            "add_corp_tag": self._add,
            "mark_tag": self._mark,
        }

    def edit(self, pair: Pair, *, add: str | None = None, remove: str | None = None) -> None:
        """A user marks a customer by hand."""
        marks = self.marks.setdefault(pair, set())
        marks |= {add} if add else set()
        marks -= {remove} if remove else set()

    def delete(self, tag_id: str) -> None:
        """A tag is no more, and with nobody."""
        for group in self.groups.values():
            group.pop(tag_id, None)
        for marks in self.marks.values():
            marks.discard(tag_id)

    def shown(self, pair: Pair) -> list[Answer]:
        """The tags of a pair, as a customer shows them; one is the user's own."""
        names = {id_: name for group in self.groups.values() for id_, name in group.items()}
        own = {"group_name": "个人", "tag_name": "老乡", "type": 2}
        found = [
            {"tag_id": id_, "tag_name": names.get(id_, ""), "type": 1}
            for id_ in sorted(self.marks.get(pair, ()))
        ]
        return [*found, own]

    def _list(self, _given: Answer, _at: datetime) -> Answer:
        found = [
            {"group_name": group, "tag": [{"id": id_, "name": n} for id_, n in tags.items()]}
            for group, tags in self.groups.items()
        ]
        return {"tag_group": found}

    def _add(self, given: Answer, _at: datetime) -> Answer:
        group = self.groups.setdefault(given["group_name"], {})
        made = {f"et-{given['group_name']}-{tag['name']}": tag["name"] for tag in given["tag"]}
        group |= made
        tags = [{"id": id_, "name": name} for id_, name in made.items()]
        return {"tag_group": {"group_name": given["group_name"], "tag": tags}}

    def _mark(self, given: Answer, _at: datetime) -> Answer:
        self.calls_made += 1
        pair = given["userid"], given["external_userid"]
        if not self.is_tied(pair):
            return {"errcode": 84061, "errmsg": "not external contact"}
        known = {id_ for group in self.groups.values() for id_ in group}
        if not {*given["add_tag"], *given["remove_tag"]} <= known:
            return {"errcode": 40068, "errmsg": "invalid tagid"}
        marks = self.marks.setdefault(pair, set())
        marks |= set(given["add_tag"])
        marks -= set(given["remove_tag"])
        return {}
