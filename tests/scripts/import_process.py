"""The import in a process of its own, forked from one that has read the data set already."""

import multiprocessing
import os
from multiprocessing.context import ForkServerProcess

from graphql_api import tables
from scripts import complete_journey, import_data

_DATASET = complete_journey.open_dataset()
_DATASET.households(1)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def start(households: int) -> ForkServerProcess:
    """Begin or go on with an import into the account of this process."""
    account = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    process = _context.Process(target=_run, args=(account, households), daemon=True)
    process.start()
    return process


def _run(account: dict[str, str], households: int) -> None:
    os.environ.update(account)
    complete_journey.open_dataset = lambda: _DATASET
    tables.create_all()
    import_data.run(households=households, say=lambda _: None)
