"""Shapes of the front desk."""

from datetime import datetime

from pydantic import BaseModel, Field

from tjapi.exam.schemas import ExamOut
from tjapi.requisition.schemas import TubeOut


class AccessCodeOut(BaseModel):
    """A one-time code; shown only here."""

    access_code: str = Field(
        description="一次性查询码,印在指引单上 · One-time code, printed on the guide sheet", examples=["40718265"]
    )
    expires_at: datetime


class CheckInOut(BaseModel):
    """What check-in gives: the exam, its tubes with barcodes, the one-time code."""

    exam: ExamOut
    tubes: list[TubeOut]
    access: AccessCodeOut
