"""What can be done about access, by noun."""

from graphql_api.access.service import joining, keys, logins, sessions, staff

__all__ = ["joining", "keys", "logins", "sessions", "staff"]
