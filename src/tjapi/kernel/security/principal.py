"""Who acts, and what the database is told about it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["staff", "client", "examinee", "job", "anonymous"]
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that acts.

    `campuses` are the campuses whose rows the database shows, `everywhere` all there are; `departments` is None for all of them.
    An examinee has no campus at all: row security shows the own rows alone. `private`: what may be seen of what is private: nothing (`-`), that of
    some departments (`=4,5`), all (`*`); and with an `o` that it was ordered. `must` is
    what has to be done before anything else may be: `password`, to change it; `second_factor`, to
    bind one. `stepped_up_at`: when they last proved to be who they are.
    """

    kind: Kind
    id: UUID
    permissions: frozenset[str] = frozenset()
    campuses: tuple[int, ...] = ()
    departments: tuple[int, ...] | None = ()
    examinee_id: UUID | None = None
    session: str = ""
    name: str = field(default="", repr=False)
    everywhere: bool = False
    private: str = "-"
    must: str = ""
    stepped_up_at: datetime | None = None

    def may(self, permission: str) -> bool:
        """Say whether a permission is held. There are no wildcards."""
        return permission in self.permissions

    def sees_private(self, department_id: int | None) -> bool:
        """Say whether what is private in a department may be seen; None: what belongs to no department. The database says the same of reads."""
        return self.private[0] == "*" or str(department_id) in self.private.strip("=o").split(",")

    def sees_private_line(self, department_id: int) -> bool:
        """Say whether it may be seen that something private was ordered of a department."""
        return self.private.endswith("o") or self.sees_private(department_id)

    @property
    def scope_text(self) -> str:
        """The part of the signed database context that says what may be seen."""
        departments = "*" if self.departments is None else ",".join(map(str, sorted(self.departments)))
        return "|".join(
            (
                self.kind,
                str(self.id),
                "*" if self.everywhere else ",".join(map(str, sorted(self.campuses))),
                departments,
                str(self.examinee_id or "-"),
                self.private,
            )
        )


ANONYMOUS = Principal("anonymous", NOBODY)


# The house itself: the worker's own errands, the listener of live events, the loader of content.
SYSTEM = Principal("job", NOBODY, departments=None, everywhere=True, private="*o")


def job_principal(job_id: UUID, campus_id: int | None) -> Principal:
    """Return the principal of a background job: it sees the campus of its row, or all when it has none, and every department."""
    campuses = () if campus_id is None else (campus_id,)
    return Principal("job", job_id, campuses=campuses, departments=None, everywhere=campus_id is None, private="*o")
