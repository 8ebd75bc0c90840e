"""What may go wrong in operations."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class JobNotFound(NotFound):
    """No such job, or not one's own."""

    zh, en = "没有这个任务", "No such job"


class JobEnded(Conflict):
    """The job has ended already."""

    zh, en = "任务已结束", "The job has ended"


class JobNotDead(Conflict):
    """Only a dead job is tried again by hand."""

    zh, en = "只有失败的任务可以重试", "Only a dead job can be tried again"


class MessageEmpty(Invalid):
    """A message of no bytes."""

    zh, en = "消息没有内容", "The message is empty"
