class EmbeddedError(RuntimeError):
    """The embedded runtime can't do what it was asked; the message is one sentence for the operator, with the mend where we know it."""
