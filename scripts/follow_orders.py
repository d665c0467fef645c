"""Have commission and the credit of campaigns follow orders whose stream records were lost.

    python scripts/follow_orders.py ord_… ord_…                 on the local chain
    python scripts/follow_orders.py --stage prod ord_…          on a deployed stage

As the function that follows the stream does; an order that was followed changes nothing.
"""

import argparse
import os
import sys
from contextlib import nullcontext

from scripts.audit import STAGE_TABLES, tell


def main(arguments: list[str] | None = None) -> int:
    """0 when every order was found, else 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("orders", nargs="+", metavar="ORDER", help="ids of orders")
    parser.add_argument("--stage", help="a deployed stage; else the local chain")
    chosen = parser.parse_args(arguments)
    if chosen.stage:
        os.environ["APP_TABLE_PREFIX"] = STAGE_TABLES.format(stage=chosen.stage)
    # Tables take their names when their models are imported.
    from graphql_api.campaigns import tasks as campaigns
    from graphql_api.commissions import tasks as commissions
    from graphql_api.orders import repository as orders
    from graphql_api.stores import service as stores
    from scripts import local

    missing = 0
    with nullcontext() if chosen.stage else local.database():
        clock = stores.clock()
        for order_id, order in zip(chosen.orders, orders.get_now(chosen.orders), strict=True):
            if order is None:
                missing += 1
                tell("not found", {"order": order_id})
                continue
            rows = commissions.follow(order, clock=clock)
            tell(
                "followed",
                {
                    "order": order_id,
                    "rows": rows,
                    "campaigns": campaigns.credit(order, clock=clock),
                },
            )
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
