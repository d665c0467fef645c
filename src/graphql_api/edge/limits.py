"""How large a document may be, whoever sends it; beyond it nothing is validated, let alone run."""

from dataclasses import asdict

from graphql import GraphQLError

from graphql_api.edge.faults import coded
from graphql_api.edge.survey import Size

MAX_TOKENS = 2_500  # validation compares fields in pairs: ten thousand of them take seconds
LIMITS = Size(depth=16, nesting=60, fields=1_000, aliases=50, directives=50, repeats=20)
"""What GraphiQL asks of the schema itself is 14 deep."""


def excess(size: Size) -> list[GraphQLError]:
    """An error for each limit that is passed, with both numbers."""
    allowed = asdict(LIMITS)
    return [
        too_complex(measure, asked, allowed[measure])
        for measure, asked in asdict(size).items()
        if asked > allowed[measure]
    ]


def too_complex(measure: str, asked: int, allowed: int) -> GraphQLError:
    """Why an operation is too much, in numbers."""
    message = f"The operation has {measure} of {asked:,}; at most {allowed:,} are allowed"
    return coded("QUERY_TOO_COMPLEX", message, measure=measure, asked=asked, allowed=allowed)
