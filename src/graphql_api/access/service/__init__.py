"""What can be done about access, by noun."""

from graphql_api.access.service import keys, logins, sessions, staff

__all__ = ["keys", "logins", "sessions", "staff"]
