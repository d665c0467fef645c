"""Why a message was not applied, or a vendor not told; none of it names a person."""

from graphql_api.connectors.rules import LinkKind, Problem


class Later(Exception):
    """It may be done in some seconds: somebody is busy.

    `is_unsure` where a question went out and no answer came: what it asked for may be done.
    """

    def __init__(self, seconds: float = 30, *, is_unsure: bool = False) -> None:
        super().__init__(Problem.BUSY.value)
        self.seconds = seconds
        self.is_unsure = is_unsure


class NotLinked(Exception):
    """A thing of the vendor's has no counterpart here, until somebody links it."""

    def __init__(self, kind: LinkKind, vendor_key: str) -> None:
        super().__init__(f"{kind.value} {vendor_key}")
        self.kind = kind
        self.vendor_key = vendor_key


class VendorRefused(Exception):
    """The vendor said no, by a code of theirs, and will say so again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotSetUp(Exception):
    """A secret or the shop's authorisation is missing."""


class Unclear(Exception):
    """It was asked for once, nobody knows with what result, and twice would be one too many."""
