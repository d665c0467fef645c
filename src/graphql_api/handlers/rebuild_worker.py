"""The steps of a run, as the state machine asks for them: plan, a piece, the end."""

from typing import Any

from graphql_api.observability import invocation, logger
from graphql_api.rebuilds import tasks
from graphql_api.stores import service as stores


@invocation
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`step` says which; whatever is asked for twice is done once."""
    run_id, clock = event["run"], stores.clock()
    match event["step"]:
        case "plan":
            pieces = [{"run": run_id, "piece": number} for number in tasks.plan(run_id)]
            logger.info("run planned", run=run_id, pieces=len(pieces))
            return {"run": run_id, "pieces": pieces}
        case "piece":
            done = tasks.do_piece(run_id, int(event["piece"]), clock=clock)
            return {"run": run_id, "piece": event["piece"], "done": done}
        case "finish":
            run = tasks.finish(run_id, clock=clock)
        case "fail":
            run = tasks.fail(run_id, clock=clock)
        case step:
            raise ValueError(f"There is no step {step}")
    logger.info("run ended", run=run_id, state=run.state if run else None)
    return {"run": run_id}
