"""Logs: one JSON object a line, an allow-list of fields, exceptions without their messages (they may quote what a person typed)."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "request_id",
        "method",
        "route",
        "status",
        "seconds",
        "principal_kind",
        "principal_id",
        "error",
        "frames",
        "job",
        "id",
        "state",
        "count",
        "source",
        "message_id",
        "size",
        "sha256",
        "campus_id",
        "exam_id",
        "report_id",
        "name",
        "pid",
        "port",
        "version",
        "reason",
        "attempts",
        "code",
        "pages",
        "path",
        "hint",
    ]
)


def _allow_list(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is not on the list, and say that something was dropped."""
    dropped = [key for key in event if key not in ALLOWED and key != "exc_info"]
    for key in dropped:
        del event[key]
    return event


def _frames_only(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its type and places: database errors quote values in their messages."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        chain, seen = [], set()
        link: BaseException | None = error
        while link is not None and id(link) not in seen:
            seen.add(id(link))
            chain.append(type(link).__name__)
            link = link.__cause__ or link.__context__
        event["error"] = " < ".join(chain)
        event["frames"] = [
            f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}"
            for f in traceback.extract_tb(error.__traceback__)[-12:]
        ]
    return event


def configure(level: str = "INFO") -> None:
    """Set up structlog and bend the standard library's loggers to the same form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _frames_only,
        _allow_list,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=[])],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
