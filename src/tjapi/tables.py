"""Every table of tjapi, so that Alembic and the drift test see them all."""

from tjapi.appointment import models as appointment
from tjapi.catalog import models as catalog
from tjapi.conclusion import models as conclusion
from tjapi.critical_value import models as critical_value
from tjapi.employer import models as employer
from tjapi.exam import models as exam
from tjapi.examinee import models as examinee
from tjapi.frontdesk import models as frontdesk
from tjapi.guidance import models as guidance
from tjapi.identity import models as identity
from tjapi.kernel import audit, idempotency, inbox, live
from tjapi.kernel.db import Base
from tjapi.kernel.jobs import models as jobs
from tjapi.knowledge import models as knowledge
from tjapi.portal import models as portal
from tjapi.report import models as report
from tjapi.requisition import models as requisition
from tjapi.result import models as result

MODULES = (
    audit,
    idempotency,
    inbox,
    live,
    jobs,
    identity,
    catalog,
    knowledge,
    examinee,
    employer,
    appointment,
    exam,
    frontdesk,
    requisition,
    result,
    guidance,
    critical_value,
    conclusion,
    report,
    portal,
)
METADATA = Base.metadata
