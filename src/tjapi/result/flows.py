"""A message's way from the inbox to the results: read it (transaction) → parse it → file it and say what became of it (transaction)."""

import contextlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from adapters.lis.contract import UnparsableReport
from tjapi.kernel import inbox
from tjapi.kernel.inbox import InboundMessageNotFound, MessageNotReplayable
from tjapi.kernel.jobs.spec import GiveUp, JobRun
from tjapi.result import service


async def file_message(run: JobRun) -> Mapping[str, Any]:
    """File a received message; one that has ended is left alone, so running twice is running once.

    Parsing lies outside of any transaction: it is the vendor's code. Filing and ending are one transaction: a worker that is killed
    leaves the message received, and its next run files it from the beginning.
    """
    message_id = UUID(run.payload["message_id"])
    try:
        async with run.unit() as uow:
            message = await inbox.get(uow, message_id)
            state, source = message.state, message.source
            arrived_at = message.gateway_received_at or message.received_at
            raw = inbox.open_body(uow, message) if state == "received" else b""
    except InboundMessageNotFound as error:
        raise GiveUp("no-such-message") from error
    if state != "received":
        return {"outcome": state}
    try:
        report = run.services.lis.parse(source, raw)
    except UnparsableReport as fault:
        async with run.unit() as uow:
            await inbox.end(uow, message_id, "quarantined", reason="unparsable", detail={"fault": fault.reason})
        return {"outcome": "quarantined", "reason": "unparsable"}
    async with run.unit() as uow:
        filing = await service.file_report(uow, message_id, source, report, arrived_at)
        await inbox.end(
            uow, message_id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
            detail=filing.detail,
        )  # fmt: skip
    return {"outcome": filing.outcome, "reason": filing.reason}


async def replay_mapped(run: JobRun) -> Mapping[str, Any]:
    """A code leads to an item now: file the messages again that waited for it, each in a transaction of its own."""
    system, code = str(run.payload["system"]), str(run.payload["code"])
    done = 0
    async with run.unit() as uow:
        waiting = await inbox.waiting_for_code(uow, system, code)
    for message_id in waiting:
        async with run.unit() as uow:
            with contextlib.suppress(MessageNotReplayable):  # somebody was faster
                await inbox.replay(uow, message_id)
                done += 1
        await run.progress(done, len(waiting))
    return {"replayed": done}
