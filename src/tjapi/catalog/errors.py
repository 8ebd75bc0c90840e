"""What may go wrong around the catalog."""

from tjapi.kernel.problem import Conflict, Forbidden, Invalid, NotFound


class ItemNotFound(NotFound):
    """No such item."""

    zh, en = "没有这个项目", "No such item"


class ItemGroupNotFound(NotFound):
    """No such item group."""

    zh, en = "没有这个组合项目", "No such item group"


class ExamPackageNotFound(NotFound):
    """No such package."""

    zh, en = "没有这个套餐", "No such package"


class OutsideLabNotFound(NotFound):
    """No such outside laboratory, or it is not in use."""

    zh, en = "没有这个外送机构或已停用", "No such outside laboratory, or it is not in use"


class ItemRangesOverlap(Conflict):
    """Two equally specific reference ranges of one item would fit one person on one day: the flag would be a matter of luck."""

    zh, en = "同一项目的参考区间重叠", "Reference ranges of one item overlap"


class ItemGroupCodeTaken(Conflict):
    """Another item group has this code."""

    zh, en = "组合项目代码已被使用", "The code belongs to another item group"


class ItemGroupContradiction(Invalid):
    """What is said of an item group contradicts itself; `errors` name where."""

    zh, en = "组合项目的设置有矛盾", "What is said of the item group contradicts itself"


class ExamPackageContradiction(Invalid):
    """What is said of a package contradicts itself, or what its item groups say; `errors` name where."""

    zh, en = "套餐的设置有矛盾", "What is said of the package contradicts itself"


class ExamPackageCodeTaken(Conflict):
    """A copy has a code of its own: under one that is taken it would be the next edition of another package."""

    zh, en = "套餐代码已被使用", "The code belongs to another package"


class CatalogFileInvalid(Invalid):
    """The file cannot be taken over; `errors` name every row and field, and nothing of it was."""

    zh, en = "目录文件不能导入", "The catalog file cannot be taken over"


class ExamPackageEditionNotAhead(Conflict):
    """The next edition begins after the one before it began."""

    zh, en = "新版本的生效日期须晚于上一版本", "The next edition must begin after the one before it"


class PrivateContent(Forbidden):
    """What was asked for tells of a private item (私密项目), and the caller may not see what is found of these."""

    zh, en = "内容涉及私密项目,无权查看", "This tells of a private item, which you may not see"
