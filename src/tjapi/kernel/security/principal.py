"""Who acts, and what the database is told about it."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Kind = Literal["staff", "client", "examinee", "job", "anonymous"]
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that acts.

    `campuses` are the campuses whose rows the database shows; `departments` is None for all of them.
    An examinee has no campus at all: row security shows the own rows alone.
    """

    kind: Kind
    id: UUID
    permissions: frozenset[str] = frozenset()
    campuses: tuple[int, ...] = ()
    departments: tuple[int, ...] | None = ()
    examinee_id: UUID | None = None
    session: str = ""
    name: str = field(default="", repr=False)

    def may(self, permission: str) -> bool:
        """Say whether a permission is held. There are no wildcards."""
        return permission in self.permissions

    @property
    def scope_text(self) -> str:
        """The part of the signed database context that says what may be seen."""
        departments = "*" if self.departments is None else ",".join(map(str, sorted(self.departments)))
        return "|".join(
            (
                self.kind,
                str(self.id),
                ",".join(map(str, sorted(self.campuses))),
                departments,
                str(self.examinee_id or "-"),
            )
        )


ANONYMOUS = Principal("anonymous", NOBODY)


def job_principal(job_id: UUID, campuses: tuple[int, ...]) -> Principal:
    """Return the principal of a background job: it sees the campuses of its row and every department."""
    return Principal("job", job_id, campuses=campuses, departments=None)
