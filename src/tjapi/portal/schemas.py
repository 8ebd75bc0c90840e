"""Shapes of the portal."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from tjapi.appointment.schemas import AppointmentOut


class ExamineeTokenIn(BaseModel):
    """What the examinee holds in hand: the guide sheet and the ID card."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    exam_no: str = Field(min_length=8, max_length=20, description="体检号 · Exam number", examples=["A26112200017"])
    access_code: str = Field(pattern=r"^\d{8}$", description="一次性查询码 · One-time code", examples=["40718265"])
    id_number_last4: str = Field(
        pattern=r"^[0-9A-Za-z]{4}$", description="证件号后四位 · Last four of the ID number", examples=["123X"]
    )


class MeOut(BaseModel):
    """The examinee, masked."""

    name: str = Field(examples=["张三"])
    sex: str = Field(examples=["male"])
    birth_date: date = Field(examples=["1990-03-07"])
    id_number: str = Field(description="脱敏 · Masked", examples=["450122********1234"])


class MyAppointmentsOut(BaseModel):
    """The examinee's appointments, latest day first."""

    items: list[AppointmentOut]
