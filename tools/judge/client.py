"""gql, the GraphQL client of Python, against a running server: python client.py URL TOKEN."""

import sys

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

STORES = "query Stores($first: Int!) { stores(first: $first) { nodes { id name unit { name } } } }"


def main() -> int:
    """0 when the schema was read, a query checked against it and answered, an error coded."""
    url, token = sys.argv[1:]
    transport = RequestsHTTPTransport(url, headers={"authorization": f"Bearer {token}"})
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        query = gql(STORES)
        query.variable_values = {"first": 3}
        nodes = session.execute(query)["stores"]["nodes"]
        if len(nodes) != 3 or not all(node["unit"]["name"] for node in nodes):
            print(f"gql: three stores were asked for, not {nodes}", file=sys.stderr)
            return 1
    with Client(transport=transport) as session:
        try:
            session.execute(gql("{ stores { nope } }"))
        except TransportQueryError as error:
            code = (error.errors or [{}])[0].get("extensions", {}).get("code")
            if code == "GRAPHQL_VALIDATION_FAILED":
                print("gql: works.")
                return 0
    print("gql: an error did not come with its code", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
