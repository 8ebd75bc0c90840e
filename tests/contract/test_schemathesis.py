"""The contract against the server, over HTTP: every operation succeeds once, then schemathesis tries to make it break its word.

All of schemathesis' checks run. `TJ_SCHEMATHESIS_EXAMPLES` widens the search (default: a few per operation, always the same ones).
"""

import os
from typing import Any, TypeAlias

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response

from tests.contract.stage import Stage, find, load_schema, offline_document

EXAMPLES = int(os.environ.get("TJ_SCHEMATHESIS_EXAMPLES", "4"))
WIDE = "TJ_SCHEMATHESIS_EXAMPLES" in os.environ
_CONFIG = SchemathesisConfig.from_dict({
    "seed": 20261123,
    "generation": {"max-examples": EXAMPLES, "deterministic": not WIDE, "no-shrink": not WIDE, "with-security-parameters": False},
    # A well-formed request may name what does not exist, or what the state of things forbids. What 422 may say is checked below.
    "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429]},
               "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 401, 403, 404, 409, 410, 412, 422, 428, 429]},
               "missing_required_header": {"expected-statuses": [400, 401, 404, 422, 428]}},
})  # fmt: skip
Case: TypeAlias = schemathesis.Case[Any]
DOCUMENT = offline_document()
SCHEMA = load_schema(DOCUMENT, _CONFIG)
NEVER_WELL_FORMED = {"malformed-body", "unsupported-media-type", "invalid"}


@schemathesis.check
def well_formed_is_not_called_malformed(_ctx: Any, response: Response, case: Case) -> None:
    """What the schema allows may break a rule of the house, with a problem of its own; it may not be refused for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 415, 422):
        return
    if str(response.request.method).lower() != case.operation.method.lower():
        return
    said = response.json()
    # JSON Schema has no word for the bounds of a date.
    if said["code"] in NEVER_WELL_FORMED and {e["code"] for e in said["errors"]} != {"date_out_of_range"}:
        raise Failure(
            operation=case.operation.label, title="Well-formed data refused for its form", message=str(said["errors"])
        )


@pytest.mark.requirement("P4")
def test_every_operation_has_succeeded(stage: Stage) -> None:
    operations = {o["operationId"] for path in DOCUMENT["paths"].values() for o in path.values()}
    succeeded = {name for name, statuses in stage.seen.items() if any(200 <= s < 300 for s in statuses)}
    print(f"{len(succeeded & operations)} of {len(operations)} operations answered 2xx")
    assert operations - succeeded == set()


def _keeps_its_word(case: Case, stage: Stage) -> None:
    operation_id = case.operation.definition.raw["operationId"]
    _lead_to_real_things(case, stage)
    headers = stage.bearer(stage.who(operation_id)) if case.operation.definition.raw.get("security") else {}
    answer = stage.send(case, headers)
    stage.seen[operation_id].add(answer.status_code)
    case.validate_response(answer, headers=headers)


def _make_tests() -> None:
    """A test per operation, each of a name of its own: those that schemathesis parametrizes share one, which xdist runs once."""
    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            name = operation["operationId"]

            def test(case: Case, stage: Stage) -> None:
                _keeps_its_word(case, stage)

            test.__name__ = test.__qualname__ = f"test_{name}_keeps_its_word"
            globals()[test.__name__] = SCHEMA.include(operation_id=name).parametrize()(
                pytest.mark.requirement("P4")(test)
            )


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


def test_find_knows_every_operation() -> None:
    assert find(DOCUMENT, "createExam")[:2] == ("/api/v1/exams", "post")
