"""What may go wrong around the catalog."""

from tjapi.kernel.problem import Conflict, NotFound


class ItemNotFound(NotFound):
    """No such item."""

    zh, en = "没有这个项目", "No such item"


class ItemGroupNotFound(NotFound):
    """No such item group."""

    zh, en = "没有这个组合项目", "No such item group"


class ExamPackageNotFound(NotFound):
    """No such package."""

    zh, en = "没有这个套餐", "No such package"


class ItemRangesOverlap(Conflict):
    """Two equally specific reference ranges of one item would fit one person on one day: the flag would be a matter of luck."""

    zh, en = "同一项目的参考区间重叠", "Reference ranges of one item overlap"
