"""Tables of examinees. Row security shows a person to the campuses that have met them, and to themselves."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.examinee.rules import CONSENT_FORMS, ID_KINDS, IDENTIFIER_KINDS, PHOTO_SOURCES, RELATIONS, SEXES
from tjapi.kernel.db import Base
from tjapi.kernel.storage import FILE

Moment = TIMESTAMP(timezone=True)


class Examinee(Base):
    """受检者. No column has a server default: an INSERT … RETURNING would have to see the row before any campus has met it.

    The unique ID number spans campuses without telling them of each other: `tj.meet_examinee` looks before anything is inserted.
    `id_country` is the country of a passport, as its three letters; empty where it is not known, and of every other document.
    A row that was merged into another points at it, and at nobody who was merged in turn: one step leads to whom it stands for.
    """

    __tablename__ = "examinee"
    __table_args__ = (
        UniqueConstraint("id_kind", "id_number_index", "id_country"),
        CheckConstraint(f"sex in {SEXES}", name="sex"),
        CheckConstraint(f"id_kind in {ID_KINDS}", name="id_kind"),
        CheckConstraint("(id_kind = 'none') = (id_number_index is null)", name="id_number"),
        CheckConstraint(
            "(id_number_index is null) = (id_number_sealed is null) and (id_number_index is null) = (id_number_masked is null)",
            name="id_number_whole",
        ),
        CheckConstraint("(phone_index is null) = (phone_sealed is null) and (phone_index is null) = (phone_masked is null)", name="phone_whole"),
        CheckConstraint("not (id_long_term and id_valid_until is not null)", name="id_validity"),
        # By number alone: whoever searches does not say of which kind it is.
        Index("ix_examinee_id_number_index", "id_number_index"),
        # Not unique: families share a phone, and a company may give one for all; the last few of those are found without reading them all.
        Index("ix_examinee_phone_index", "phone_index", "id"),
        CheckConstraint("merged_into_id <> id", name="merged_into"),
        Index("ix_examinee_birth_date", "birth_date"),
        Index("ix_examinee_merged_into", "merged_into_id", postgresql_where=sql("merged_into_id is not null")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    sex: Mapped[str]
    birth_date: Mapped[date] = mapped_column(Date)
    nation: Mapped[str | None]
    id_kind: Mapped[str]
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_masked: Mapped[str | None]
    id_country: Mapped[str] = mapped_column(server_default="")
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_masked: Mapped[str | None]
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_issuer: Mapped[str | None]
    id_valid_from: Mapped[date | None] = mapped_column(Date)
    id_valid_until: Mapped[date | None] = mapped_column(Date)
    id_long_term: Mapped[bool | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("examinee.id"))
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class ExamineeCampus(Base):
    """Which campus has met whom. `by_merge`: it has met somebody who was merged into them, not themselves."""

    __tablename__ = "examinee_campus"

    examinee_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"), primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    first_met_at: Mapped[datetime] = mapped_column(Moment)
    by_merge: Mapped[bool] = mapped_column(server_default=sql("false"))


class ExamineeNameKey(Base):
    """By what a name is found: itself, its readings in pinyin, its initials.

    A table of its own, because under row security only leakproof operators reach an index: `>=` and `<` on text are, LIKE, `@>` and
    trigrams are not, so a prefix on an array or a trigram index would read every person.
    """

    __tablename__ = "examinee_name_key"
    __table_args__ = (Index("ix_examinee_name_key_key", "key", "examinee_id"),)

    examinee_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(collation="C"), primary_key=True)


class ExamineePhoto(Base):
    """A version of a person's photo. Append-only; the one taken last is the current one. `size` in bytes.

    Only whose it is, and its number among theirs, changes when people are merged; the database asks for the merge.
    """

    __tablename__ = "examinee_photo"
    __table_args__ = (
        CheckConstraint(f"source in {PHOTO_SOURCES}", name="source"),
        CheckConstraint("version > 0", name="version"),
    )

    examinee_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file: Mapped[str] = mapped_column(info=FILE)
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    source: Mapped[str]
    taken_by: Mapped[UUID]
    taken_by_name: Mapped[str]
    taken_at: Mapped[datetime] = mapped_column(Moment)


class ExamineeIdentifier(Base):
    """A card or number of another system: 体检卡, 就诊卡, the HIS's patient id. Of each kind a number belongs to one person."""

    __tablename__ = "examinee_identifier"
    __table_args__ = (
        CheckConstraint(f"kind in {IDENTIFIER_KINDS}", name="kind"),
        # The number leads: whoever scans a card does not say of which kind it is.
        UniqueConstraint("number_index", "kind"),
        Index("ix_examinee_identifier_examinee", "examinee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    examinee_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"))
    kind: Mapped[str]
    number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    number_index: Mapped[bytes] = mapped_column(LargeBinary)
    number_masked: Mapped[str]
    added_by: Mapped[UUID]
    added_by_name: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(Moment)


class ExamineeGuardian(Base):
    """监护人 of a minor: who answers for them, and whether they consented. One who no longer does is ended, not deleted: so is their consent."""

    __tablename__ = "examinee_guardian"
    __table_args__ = (
        CheckConstraint(f"relation in {RELATIONS}", name="relation"),
        CheckConstraint(f"id_kind in {ID_KINDS}", name="id_kind"),
        CheckConstraint(
            "(id_kind = 'none') = (id_number_sealed is null) and (id_number_sealed is null) = (id_number_masked is null)",
            name="id_number_whole",
        ),
        CheckConstraint(f"consent_form in {CONSENT_FORMS}", name="consent_form"),
        CheckConstraint(
            "(consented_at is null) = (consent_form is null) and (consented_at is null) = (consent_by is null)"
            " and (consented_at is null) = (consent_by_name is null)",
            name="consent_whole",
        ),
        Index("ix_examinee_guardian_examinee", "examinee_id"),
        Index("ix_examinee_guardian_phone_index", "phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    examinee_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"))
    name: Mapped[str] = mapped_column(String(64))
    relation: Mapped[str]
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    phone_masked: Mapped[str]
    id_kind: Mapped[str]
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_masked: Mapped[str | None]
    added_by: Mapped[UUID]
    added_by_name: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(Moment)
    consent_form: Mapped[str | None]
    consent_by: Mapped[UUID | None]
    consent_by_name: Mapped[str | None]
    consented_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class ExamineeMerge(Base):
    """合并: one entry was found to be another, by whom, when and why; and, when it was not so, who undid it. Neither row is lost."""

    __tablename__ = "examinee_merge"
    __table_args__ = (
        CheckConstraint("merged_id <> survivor_id", name="of_two"),
        CheckConstraint("(undone_at is null) = (undone_by is null) and (undone_at is null) = (undo_reason is null)", name="undone"),
        Index("uq_examinee_merge_merged", "merged_id", unique=True, postgresql_where=sql("undone_at is null")),
        Index("ix_examinee_merge_survivor", "survivor_id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"))
    survivor_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"))
    score: Mapped[int] = mapped_column(SmallInteger)
    contradictions: Mapped[list[str]] = mapped_column(ARRAY(String))
    reason: Mapped[str]
    merged_by: Mapped[UUID]
    merged_by_name: Mapped[str]
    merged_at: Mapped[datetime] = mapped_column(Moment)
    undone_by: Mapped[UUID | None]
    undone_by_name: Mapped[str | None]
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
    undo_reason: Mapped[str | None]


class ExamineeMergeRow(Base):
    """A row that followed a merge, so that undoing it brings back these and no others. `became`: its key with the survivor, where that is another.

    `stayed`: one that came to the survivor after the merge, and stayed there when it was undone.
    """

    __tablename__ = "examinee_merge_row"

    merge_id: Mapped[UUID] = mapped_column(ForeignKey("examinee_merge.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    became: Mapped[str | None]
    stayed: Mapped[bool] = mapped_column(primary_key=True, server_default=sql("false"))


class ExamineeDistinction(Base):
    """不是同一人: two entries that somebody looked at and found to be two people; they are not suggested again until that is withdrawn."""

    __tablename__ = "examinee_distinction"
    __table_args__ = (
        CheckConstraint("first_id < second_id", name="order"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_by is null)", name="withdrawn"),
        Index(
            "uq_examinee_distinction_pair", "first_id", "second_id", unique=True,
            postgresql_where=sql("withdrawn_at is null"),
        ),
        Index("ix_examinee_distinction_second", "second_id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    first_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"))
    second_id: Mapped[UUID] = mapped_column(ForeignKey("examinee.id"))
    reason: Mapped[str | None]
    decided_by: Mapped[UUID]
    decided_by_name: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(Moment)
    withdrawn_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None] = mapped_column(Moment)
