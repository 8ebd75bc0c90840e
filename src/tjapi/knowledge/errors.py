"""What may go wrong around the knowledge base."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class KnowledgeVersionNotFound(NotFound):
    """No such version."""

    zh, en = "没有这个知识库版本", "No such version of the knowledge base"


class KnowledgeInvalid(Invalid):
    """The content does not hang together, or a rule does not do what its examples say."""

    zh, en = "知识库内容有误", "The content of the knowledge base is not valid"


class KnowledgeKnown(Conflict):
    """The same content is a version already."""

    zh, en = "内容与已有版本完全相同", "The same content is a version already"


class KnowledgeNotDraft(Conflict):
    """Only a draft or a retired version can be activated."""

    zh, en = "该版本已在使用", "This version is active already"


class KnowledgeOwnDraft(Conflict):
    """Author, head of the laboratory and chief physician are three persons."""

    zh, en = (
        "编写、检验科签批、主检签批须为不同的人",
        "Author, laboratory head and chief physician are three different persons",
    )


class KnowledgeNotApproved(Conflict):
    """The chief physician signs what the head of the laboratory has approved."""

    zh, en = "该版本尚未经检验科签批", "The head of the laboratory has not approved this version yet"


class KnowledgeApproved(Conflict):
    """It is approved already."""

    zh, en = "该版本已经检验科签批", "This version is approved already"
