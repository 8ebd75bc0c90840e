"""What may go wrong in the portal."""

from tjapi.kernel.problem import Unauthenticated


class AccessRefused(Unauthenticated):
    """Exam number, code or ID number: which one is not said. Five failures end a code."""

    zh, en = "体检号、查询码或证件号后四位不正确", "The exam number, the code or the last four characters are wrong"
