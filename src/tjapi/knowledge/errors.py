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
    """Who wrote a version does not activate it."""

    zh, en = "版本须由编写人以外的人启用", "Another person than its author activates a version"
