"""`make dev`: the whole product on a laptop, with a real chain's year in it.

Starts the local engine on the data directory, makes the tables, imports what is not imported yet,
and serves the API and GraphiQL on 127.0.0.1. PORT (8000), DATA_DIR (.dev) and ENGINE (ministack)
are environment variables. Stop it with Ctrl-C; it waits until the state is on the disk.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn

from graphql_api import graphiql, tables
from graphql_api.bulk.models import BulkItem
from graphql_api.config import settings
from graphql_api.coupons.models import CouponsItem
from graphql_api.members.models import MembersItem
from graphql_api.merges.models import MergesItem
from graphql_api.orders.models import OrdersItem
from graphql_api.ownership.models import OwnershipItem
from graphql_api.policies.models import PoliciesItem
from graphql_api.privacy.models import PrivacyItem
from graphql_api.rebuilds.models import RebuildsItem
from graphql_api.tags.models import TagsItem
from graphql_api.viewer import Role
from scripts import engines, import_data, local, manifest
from scripts.days import Days
from scripts.processes import EngineError, Running
from scripts.queue_pump import QueuePump
from scripts.stream_pump import Pump

PEOPLE = {
    Role.MEMBER: "会员",
    Role.GUIDE: "导购",
    Role.STORE_MANAGER: "店长",
    Role.OPERATOR: "总部运营",
    Role.INTEGRATION: "系统集成",
}
_IMPORT_TRIES = 3
_IMPORT_SAVES_EVERY = 10.0


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True)


class Stopped(BaseException):
    """The user asked to stop."""


def main() -> int:
    """Serve until asked to stop; 0 when the state was saved."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reset", action="store_true", help="forget the local data and exit")
    parser.add_argument(
        "--households", type=int, default=import_data.PART, help="how many to import at first"
    )
    chosen = parser.parse_args()
    try:
        if chosen.reset:
            return _reset(local.data_dir())
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, _stop)
        port = int(os.environ.get("PORT") or 8000)
        code = _serve_everything(local.data_dir(), port, chosen.households)
    except Stopped:
        code = 0
    except EngineError as error:
        say(str(error))
        return 1
    if code == 0:
        say("Stopped; the state is on the disk.")
    return code


def _serve_everything(data_dir: Path, port: int, households: int) -> int:
    if _in_use(port):
        say(f"Port {port} is in use. Choose another: PORT=8001 make dev")
        return 1
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    engine = engines.chosen()
    engine.ensure_environment(say)
    with engine.start(data_dir, progress=say) as running:
        local.point_at(running.url)
        if created := tables.create_all():
            say(f"Created {len(created)} tables.")
        if not _import(running, households):
            return 1
        for line in manifest.publish_all():
            say(line)
        with local.files_and_queues(data_dir), local.logins(), local.vendors(data_dir):
            pumps = _pumps(data_dir)
            for pump in pumps:
                pump.start()
            try:
                return _serve(port)
            finally:
                for pump in pumps:
                    pump.stop()


def _import(running: Running, households: int) -> bool:
    """Import in a process of its own, which may die and is resumed; True when it is complete."""
    if import_data.is_complete(households):
        say("The data is imported already: the state of the last run is kept.")
        return True
    if import_data.is_begun():
        say("An import was interrupted: it goes on from its checkpoint.")
    else:
        say(f"Importing a part of the year: {households} members with all their orders …")
    command = [sys.executable, "-m", "scripts.import_data", "--households", str(households)]
    for _ in range(_IMPORT_TRIES):
        with subprocess.Popen(command) as child:
            _wait(child, running)
        if child.returncode == 0:
            say(running.save())
            return True
        say(f"The import ended with code {child.returncode}; resuming it from its checkpoint.")
    say("The import did not get through. `make reset` starts over.")
    return False


def _wait(child: subprocess.Popen[bytes], running: Running) -> None:
    saved = time.monotonic()
    try:
        while child.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - saved > _IMPORT_SAVES_EVERY:
                running.save()
                saved = time.monotonic()
    except Stopped:
        child.terminate()
        child.wait(10)
        raise


def _serve(port: int) -> int:
    from scripts.receivers import app

    address = f"http://127.0.0.1:{port}/graphql"
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    threading.Thread(target=_welcome, args=(server, address), daemon=True).start()
    with suppress(Stopped):  # uvicorn ends first, then passes the signal on
        server.run()
    say("Stopping: waiting for the state to be saved …")
    return 0


def _welcome(server: uvicorn.Server, address: str) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    say("")
    for role, chinese in PEOPLE.items():
        say(f"{role.value.lower()} {chinese}: {local.token(role)}")
    say("")
    if graphiql.page() is None:
        say("GraphiQL is not built: `make graphiql` (needs npm) builds it.")
    say(f"API and GraphiQL: {address}   (Ctrl-C stops, the state is kept)")


def _pumps(data_dir: Path) -> list[Pump | QueuePump | Days]:
    """One for each function that follows a stream or a queue, and one for the days."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    from graphql_api.handlers import (
        bulk_steps,
        coupon_changes,
        effects,
        friend_events,
        friend_welcomes,
        hand_overs,
        merges,
        order_credits,
        privacy_jobs,
        rebuilds,
        standing,
        tag_counts,
        tag_jobs,
        vendor_messages,
        vendor_outbox,
        wechat_events,
    )
    from graphql_api.handlers import webhook_deliveries as deliveries
    from graphql_api.handlers import webhook_events as events

    orders = OrdersItem.Meta.table_name
    members, tags = MembersItem.Meta.table_name, TagsItem.Meta.table_name
    coupons = CouponsItem.Meta.table_name
    return [
        Pump(members, effects.handler, data_dir),
        Pump(members, standing.handler, data_dir, consumer="standing"),
        Pump(OwnershipItem.Meta.table_name, hand_overs.handler, data_dir),
        Pump(MergesItem.Meta.table_name, merges.handler, data_dir),
        Pump(tags, tag_counts.handler, data_dir, consumer="counts"),
        Pump(tags, tag_jobs.handler, data_dir, consumer="jobs"),
        Pump(members, events.handler, data_dir, consumer="webhooks"),
        Pump(coupons, coupon_changes.handler, data_dir),
        Pump(coupons, events.handler, data_dir, consumer="webhooks"),
        Pump(orders, events.handler, data_dir, consumer="webhooks"),
        Pump(orders, order_credits.handler, data_dir, consumer="credits"),
        Pump(BulkItem.Meta.table_name, bulk_steps.handler, data_dir),
        QueuePump(settings().webhook_queue_url, deliveries.handler),
        QueuePump(settings().vendor_queue_url, vendor_messages.handler),
        QueuePump(settings().vendor_outbox_queue_url, vendor_outbox.handler),
        QueuePump(settings().contact_queue_url, friend_events.handler),
        QueuePump(settings().welcome_queue_url, friend_welcomes.handler),
        QueuePump(settings().wechat_queue_url, wechat_events.handler),
        Pump(PrivacyItem.Meta.table_name, privacy_jobs.handler, data_dir),
        Pump(PoliciesItem.Meta.table_name, rebuilds.handler, data_dir, consumer="rebuilds"),
        Pump(RebuildsItem.Meta.table_name, rebuilds.handler, data_dir),
        Days(say),
    ]


def _reset(data_dir: Path) -> int:
    """Forget the local data, but not that of a running `make dev`."""
    if not data_dir.exists():
        say(f"There is nothing in {data_dir}.")
        return 0
    engine = engines.chosen()
    if not (data_dir / engine.RECORD).exists():
        say(f"{data_dir} does not look like a data directory of `make dev`; it is left alone.")
        return 1
    if engine.address(data_dir):
        try:
            engine.start(data_dir, progress=say).stop()  # ends what a killed run left behind
        except EngineError:
            say("The local chain is running: stop `make dev` first.")
            return 1
    shutil.rmtree(data_dir)
    say(f"Forgot everything in {data_dir}. `make dev` starts over.")
    return 0


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
