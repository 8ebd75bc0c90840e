"""Reading values, flagging them, choosing the current one of many revisions, and telling whose they are. Nothing here guesses."""

from typing import Literal

SheetState = Literal["draft", "signed"]
ReleaseState = Literal["proposed", "released", "rejected"]
Charset = Literal["utf-8", "gb18030", "iso-8859-1"]
ResultsView = Literal["all", "abnormal", "summaries"]
