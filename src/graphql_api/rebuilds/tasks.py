"""How a run is carried out: its pieces, each by itself and in any order, then its end."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from graphql_api.errors import Conflict
from graphql_api.kit.dynamo import Raw, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.observability import count, log_failure
from graphql_api.policies import repository as policies
from graphql_api.policies import rules as policy_rules
from graphql_api.policies import service as policy_service
from graphql_api.policies.rules import PolicyKind, RfmPolicy
from graphql_api.policies.service import PolicyDraft
from graphql_api.rebuilds import models, repository, rules, service
from graphql_api.rebuilds.models import Piece, Run
from graphql_api.rebuilds.rules import Measured, RunKind, RunState, Tally
from graphql_api.standing import models as standing_models
from graphql_api.standing import repository as standings
from graphql_api.standing import rules as standing_rules
from graphql_api.standing import service as standing
from graphql_api.standing import wire
from graphql_api.standing.rules import KINDS, Policies, Reason
from graphql_api.standing.service import Cause
from graphql_api.standing.wire import Read
from graphql_api.viewer import Role, Viewer


def published(kind: PolicyKind, version: int, *, clock: Clock) -> Run | None:
    """What follows from a publication: a run over all members, where standings hang on the kind."""
    return service.begin_rebuild(kind, version, clock=clock) if kind in KINDS else None


def plan(run_id: str) -> list[int]:
    """Begin, and name the pieces; none of a run that was cancelled. Again gives the same."""

    def attempt(tx: Transaction) -> list[int]:
        run = repository.get(run_id)
        if run is None or run.state in rules.OVER:
            return []
        if run.state is RunState.WAITING:
            repository.move(tx, run, RunState.IN_PROGRESS)
        return list(range(int(run.total)))

    return transact(attempt)


def do_piece(run_id: str, number: int, *, clock: Clock) -> bool:
    """Do one piece of a run; False where the run was cancelled.

    What it finds is written down before anything is done about it, so that a piece which is done
    again, whenever it was killed, counts what the first time counted.
    """
    run = repository.get(run_id)
    if run is None or run.state is not RunState.IN_PROGRESS:
        return False
    piece = repository.piece(run_id, number)
    if piece is not None and piece.ended_at is not None:
        return True
    ready = _policies_of(run)
    if piece is None:
        piece = _look(run, number, ready, clock)
    if run.kind is RunKind.REBUILD:
        failed = _settle_all(run, number, ready, clock)
        if failed is None:
            return False
        piece.failed = failed
    return _end(piece, clock)


def finish(run_id: str, *, clock: Clock) -> Run | None:
    """The end of a run whose pieces are all over: what moved, or the draft that was measured."""

    def attempt(tx: Transaction) -> Run | None:
        run = repository.get(run_id)
        if run is None or run.state is not RunState.IN_PROGRESS:
            return run
        if run.done < run.total:
            raise Conflict(f"{int(run.total - run.done)} pieces of the run are not over")
        more = {"ended_at": clock.now(), **_outcome(run, clock)}
        repository.move(tx, run, RunState.DONE, **more)
        return run

    return transact(attempt)


def fail(run_id: str, *, clock: Clock) -> Run | None:
    """Note that a run did not get through; `retry` goes on with it."""

    def attempt(tx: Transaction) -> Run | None:
        run = repository.get(run_id)
        if run is not None and run.state not in rules.OVER:
            repository.move(tx, run, RunState.FAILED, ended_at=clock.now())
        return run

    return transact(attempt)


def run_all(run_id: str, *, clock: Clock) -> Run | None:
    """A whole run in this process, where nobody else hands out its pieces."""
    for number in plan(run_id):
        if not do_piece(run_id, number, clock=clock):
            return repository.get(run_id)
    return finish(run_id, clock=clock)


# --- a piece ---------------------------------------------------------------------------------


def _members(number: int, clock: Clock, *, for_rules: bool) -> Iterator[list[Raw]]:
    """The members of a piece who are there to be decided on, by number, a block at a time.

    Of each there is what `standing/wire.py` reads, and when somebody is to look again.
    """
    wanted = (*wire.attributes(for_rules=for_rules), "next_on", "foreseen")
    for block in rules.blocks_of(number):
        raws = members.get_raw(members.ids_of_block(block), only=wanted)
        free = [raw for raw in raws if wire.is_free(raw, clock)]
        yield sorted(free, key=lambda raw: int(raw["number"]["N"]))


def _look(run: Run, number: int, ready: Policies, clock: Clock) -> Piece:
    """What a piece finds, written down once."""
    tally, measured = Tally(), Measured() if run.kind is RunKind.MEASURE else None
    before = standings.in_force() if run.kind is RunKind.PREVIEW else None
    for_rules = any(one.rules.rules for one in (before, ready) if one is not None)
    for block in _members(number, clock, for_rules=for_rules):
        for raw in block:
            member = wire.read(raw, clock, for_rules=for_rules)
            if measured is not None:
                _measure(measured, member, ready, run.as_of)
                tally.add(member.id, [])
            else:
                tally.add(member.id, _moves(member, before, ready, run.as_of))
    found = Piece(run.id, models.piece_sort(number), **models.found(tally, measured))
    transact(lambda tx: repository.create_piece(tx, found))
    return found


def _moves(member: Read, before: Policies | None, ready: Policies, as_of: date) -> list[rules.Move]:
    """Where a member goes under policies, from what they hold, or hold under `before` by then.

    What is due by the day anyway is not the doing of a policy that is only tried.
    """
    facts, held = member.facts, member.held
    if before is not None:
        held = standing_rules.decide(facts, held, before, as_of).standing
    return rules.moved(held, standing_rules.decide(facts, held, ready, as_of))


def _measure(base: Measured, member: Read, ready: Policies, as_of: date) -> None:
    facts = member.facts
    month = as_of.year * 12 + as_of.month - 1
    base.add(facts, as_of.toordinal(), month, ready.cuts.window)


def _settle_all(run: Run, number: int, ready: Policies, clock: Clock) -> int | None:
    """Write what the policy changes; how many failed, or None where the run was cancelled."""
    failed = 0
    for block in _members(number, clock, for_rules=bool(ready.rules.rules)):
        now = repository.get(run.id)
        if now is None or now.state is not RunState.IN_PROGRESS:
            return None
        left = sum(not _settled(raw, ready, clock) for raw in block)
        count("DECIDED", len(block))
        count("NOT_DECIDED", left)
        failed += left
    return failed


def _settled(raw: Raw, ready: Policies, clock: Clock) -> bool:
    cause = Cause(clock, clock.today(), Reason.POLICY)
    read = wire.read(raw, clock, for_rules=bool(ready.rules.rules))
    decision = standing_rules.decide(read.facts, read.held, ready, cause.as_of)
    if not decision.changed:
        member = wire.stub(raw)
        foreseen = standing_models.foreseen(decision)
        if (decision.next_on, foreseen) == (member.next_on, member.foreseen):
            return True
    try:
        transact(partial(_decide, member_id=read.id, cause=cause))
    except Exception as problem:  # noqa: BLE001 - one bad member stops nobody else
        log_failure("member not decided on", problem, member=read.id)
        return False
    return True


def _decide(tx: Transaction, member_id: str, cause: Cause) -> bool:
    [member] = members.get_items([member_id], consistent=True)
    if member is None or not standing.is_free(member, cause.clock):
        return False
    return standing.decide_in(tx, member, cause)


def _end(piece: Piece, clock: Clock) -> bool:
    def attempt(tx: Transaction) -> bool:
        now = repository.piece(piece.id, _number(piece))
        if now is not None and now.ended_at is None:
            now.failed, now.ended_at = piece.failed, clock.now()
            repository.end_piece(tx, now)
        return True

    return transact(attempt)


def _number(piece: Piece) -> int:
    return int(piece.sort.removeprefix(models.PIECES))


# --- policies --------------------------------------------------------------------------------


def _policies_of(run: Run) -> Policies:
    """What a run decides by: a document that is tried, or what is in force and known to be."""
    if run.kind is RunKind.PREVIEW:
        tried = policy_rules.read(run.policy_kind, run.document)
        assert not isinstance(tried, list)
        documents = {kind: policies.remembered(kind) for kind in KINDS}
        documents[run.policy_kind] = (int(run.policy_version), tried)
        return standings.made_ready(documents)
    if policies.remembered(run.policy_kind)[0] < run.policy_version:
        standings.forget()
        if policies.remembered(run.policy_kind)[0] < run.policy_version:
            raise Conflict("The version that was published is not known here yet")
    return standings.in_force()


def _outcome(run: Run, clock: Clock) -> dict[str, object]:
    """What a run leaves behind when it ends."""
    if run.kind is not RunKind.MEASURE:
        tally = Tally()
        for piece in repository.pieces(run.id):
            tally = tally.plus(piece.tally)
        return {"move_rows": tally.rows()}
    base = Measured()
    for piece in repository.pieces(run.id):
        base = base.plus(piece.measured or Measured())
    policy = policies.in_force(PolicyKind.RFM).content
    assert isinstance(policy, RfmPolicy)
    cut = rules.with_cut_points(policy, base, run.as_of)
    given = PolicyDraft(kind=PolicyKind.RFM, document=cut.document())
    drafter = Viewer(Role.SYSTEM, id=run.created_by)
    drafted = policy_service.draft(given, viewer=drafter, clock=clock)
    return {"drafted_version": int(drafted.version)}
