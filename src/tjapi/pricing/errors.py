"""What may go wrong around a quote."""

from tjapi.kernel.problem import Conflict, Invalid


class PackageNotOffered(Conflict):
    """The package is out of use, or holds nothing."""

    zh, en = "套餐已停用或没有项目", "The package is out of use, or empty"


class ItemGroupNotOffered(Conflict):
    """An item group is out of use."""

    zh, en = "组合项目已停用", "An item group is out of use"


class ItemGroupTwice(Invalid):
    """An item group was asked for twice, or is in the package already: nobody pays twice for one examination."""

    zh, en = "组合项目重复", "An item group appears twice"
