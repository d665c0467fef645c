"""Print a token for the local API."""

import argparse
import sys

from graphql_api.viewer import Role
from scripts import local

ROLES = (Role.MEMBER, Role.GUIDE, Role.STORE_MANAGER, Role.OPERATOR, Role.INTEGRATION)


def main() -> int:
    """One line on standard output: the token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", nargs="?", default="OPERATOR", choices=[str(r) for r in ROLES])
    role = Role(parser.parse_args().role)
    try:
        if role in {Role.OPERATOR, Role.INTEGRATION}:
            print(local.token(role))
        else:
            with local.database():
                print(local.token(role))
    except LookupError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
