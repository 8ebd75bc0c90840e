"""The contract against the server, over HTTP: every operation succeeds once, then schemathesis tries to make it break its word.

All of schemathesis' checks run on every operation. `make test` tries some twenty requests of each, always the same ones; `make contract`
adds the coverage phase (every boundary of every field: some 170 requests of each) and more examples, `TJ_SCHEMATHESIS_SEED` turns both elsewhere.
"""

import json
import os
import random
import re
from pathlib import Path
from typing import Any, TypeAlias

import hypothesis
import pytest
import schemathesis
from hypothesis.stateful import RULE_MARKER
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response

from tests.contract.stage import Stage, load_schema

EXAMPLES = int(os.environ.get("TJ_SCHEMATHESIS_EXAMPLES", "10"))
WIDE = "TJ_SCHEMATHESIS_EXAMPLES" in os.environ
COMMITTED = Path(__file__).resolve().parents[2] / "openapi" / "v1.json"
_CONFIG = SchemathesisConfig.from_dict({
    "seed": int(os.environ.get("TJ_SCHEMATHESIS_SEED", "20261123")),
    "generation": {"max-examples": EXAMPLES, "deterministic": not WIDE, "no-shrink": not WIDE, "with-security-parameters": False},
    "phases": {"coverage": {"enabled": WIDE}},
    # A well-formed request may name what does not exist, or what the state of things forbids. What 422 may say is checked below.
    "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429]},
               "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 401, 403, 404, 409, 410, 412, 422, 428, 429]},
               "missing_required_header": {"expected-statuses": [400, 401, 404, 422, 428]}},
})  # fmt: skip
Case: TypeAlias = schemathesis.Case[Any]
_MOST_LINKS = 8_000
LAZY = schemathesis.pytest.from_fixture("fuzzed")
# From the committed contract, because collecting must be quick; that it is what the code makes is a test of its own.
OPERATIONS = [
    o["operationId"]
    for path in json.loads(COMMITTED.read_text(encoding="utf-8"))["paths"].values()
    for o in path.values()
]
NEVER_WELL_FORMED = {"malformed-body", "unsupported-media-type", "invalid"}

_WHOLE_OR_ROW = re.compile(r"(?:/\w+/\d+)?")
"""The pointer of a whole body, or of a row of one of its lists."""


@schemathesis.check
def well_formed_is_not_called_malformed(_ctx: Any, response: Response, case: Case) -> None:
    """What the schema allows may break a rule of the house, with a problem of its own; it may not be refused for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 415, 422):
        return
    if str(response.request.method).lower() != case.operation.method.lower():
        return
    said = response.json()
    # JSON Schema has no word for the bounds of a date, nor for text that is trimmed before it is measured.
    # Nor that one of two is sent, or that one asks for another (a remission for its reason).
    wordless = {"date_out_of_range", "string_too_short", "value_and_coded"}
    codes = {
        "string_too_short" if e["code"] == "missing" and _WHOLE_OR_ROW.fullmatch(e["pointer"]) else e["code"]
        for e in said["errors"]
    }
    if said["code"] in NEVER_WELL_FORMED and (not codes or codes - wordless):
        raise Failure(
            operation=case.operation.label, title="Well-formed data refused for its form", message=str(said["errors"])
        )


@pytest.fixture(scope="session")
def fuzzed(document: dict[str, Any]) -> Any:
    """The contract as schemathesis reads it, with the bounds of this file."""
    return load_schema(document, _CONFIG)


@pytest.mark.requirement("P4")
def test_every_operation_has_succeeded(stage: Stage, document: dict[str, Any]) -> None:
    operations = {o["operationId"] for path in document["paths"].values() for o in path.values()}
    succeeded = {name for name, statuses in stage.seen.items() if any(200 <= s < 300 for s in statuses)}
    print(f"{len(succeeded & operations)} of {len(operations)} operations answered 2xx")
    assert operations - succeeded == set()
    assert operations == set(OPERATIONS)


def _keeps_its_word(case: Case, stage: Stage) -> None:
    operation_id = case.operation.definition.raw["operationId"]
    _lead_to_real_things(case, stage)
    headers = stage.headers(case.operation)
    answer = stage.send(case, headers)
    stage.seen[operation_id].add(answer.status_code)
    case.validate_response(answer, headers=headers)


def _make_tests() -> None:
    """A test per operation, each of a name of its own: those that schemathesis parametrizes share one, which xdist runs once."""
    for name in OPERATIONS:

        def test(case: Case, stage: Stage) -> None:
            _keeps_its_word(case, stage)

        test.__name__ = test.__qualname__ = f"test_{name}_keeps_its_word"
        made = LAZY.include(operation_id=name).parametrize()(test)
        globals()[test.__name__] = pytest.mark.requirement("P4")(made)


_make_tests()


def _lead_to_real_things(case: Case, stage: Stage) -> None:
    """Let most well-formed paths lead to something that exists."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for name, value in dict(case.path_parameters or {}).items():
        known = stage.ids.get(name)
        chosen = sum(str(value).encode())
        if known and chosen % 4:
            case.path_parameters[name] = known[chosen % len(known)]


def _some_links(machine: Any) -> Any:
    """Return a machine with every root of another one and as many of its links as hypothesis looks at; the seed chooses which.

    Of more than some ten thousand rules it sees the first ones alone, and the roots are the last: it would then find no step at all.
    """
    dice = random.Random(_CONFIG.seed)
    links = [
        name for name, value in vars(machine).items() if hasattr(value, RULE_MARKER) and name not in machine.root_rules
    ]
    left_out = {*dice.sample(links, max(0, len(links) - _MOST_LINKS))}
    return type(machine.__name__, machine.__bases__, {k: v for k, v in vars(machine).items() if k not in left_out})


@pytest.mark.requirement("P4")
def test_what_was_created_can_be_followed_to_where_it_leads(stage: Stage, fuzzed: Any) -> None:
    """Chains of operations, each fed by what the one before answered: nothing that was created is missing, nothing that ended lives on."""

    sent: list[str] = []

    class Machine(_some_links(fuzzed.as_state_machine())):  # type: ignore[misc]
        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": stage.headers(case.operation)}

        def call(self, case: Case, **options: Any) -> Response:
            sent.append(case.operation.label)
            return stage.send(case, options["headers"])

    limits = hypothesis.settings(
        max_examples=EXAMPLES, stateful_step_count=5, deadline=None, derandomize=not WIDE, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    Machine.run(settings=limits)
    assert len(sent) > 2 * EXAMPLES, "chains of one step are none"
