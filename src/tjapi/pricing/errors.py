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


class ItemGroupUnsuitable(Invalid):
    """An item group does not fit the person: sex, age, pregnancy. `errors` name each with the reason."""

    zh, en = "有项目不适用于受检者", "An item group is not for this person"


class ItemGroupNotForSex(ItemGroupUnsuitable):
    """An item group does not fit the examinee's sex, and nothing else is wrong; `errors` name it."""

    zh, en = "有项目不适用于受检者性别", "An item group is not for the examinee's sex"


class PregnancyContradictsSex(Invalid):
    """Somebody is said to be pregnant who is a man; `errors` name the field."""

    zh, en = "男性受检者不能登记为怀孕", "A man is not pregnant"


class ItemGroupsExclude(Invalid):
    """Two item groups are not ordered together; `errors` name both and the reason."""

    zh, en = "有项目互斥", "Item groups exclude each other"


class ItemGroupOverlaps(Invalid):
    """An item group examines some of what another one of the same exam does; `errors` name both, what they share, and the way out."""

    zh, en = "所选项目与同一次体检的其他项目有重复内容", "What was chosen shares items with what else the exam has"


class ItemGroupContained(ItemGroupOverlaps):
    """Everything of an item group is examined by another one that is ordered already: nothing is left to add; `errors` name it."""

    zh, en = "所选项目已包含在已开项目中", "What was chosen is contained in what is ordered already"


class PackageChoiceInvalid(Invalid):
    """What is chosen in a package is not what its options ask for; `errors` name the option."""

    zh, en = "套餐可选项的选择不符合要求", "The choices are not what the package's options ask for"


class ChoiceInvalid(Invalid):
    """The member chose another package, other item groups or another number of them than the group offers."""

    zh, en = "所选套餐或自选项目不符合分组规定", "What was chosen is not what the group offers"


class PackageForOtherSex(Invalid):
    """Of the group's packages none is for the person's sex; `errors` say so of the package that was chosen, or of all of them."""

    zh, en = "分组没有适合受检者性别的套餐", "The group has no package for the person's sex"


class SexNotKnown(Invalid):
    """Which package of the group somebody takes depends on the sex, which is not known: it is asked, never guessed."""

    zh, en = "分组套餐按性别区分,请先确认受检者性别", "The group's packages are by sex, and the person's is not known"


class CapExceeded(Conflict):
    """What is ordered costs more than the employer pays, and the employer lets nobody pay the rest."""

    zh, en = "超出单位承担上限,且不允许自费补足", "It costs more than the employer's cap, and may not be topped up"
