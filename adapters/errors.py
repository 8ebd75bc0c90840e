"""What can go wrong with someone else's computer, told apart by what the caller does next.

```
AdapterError
├── Unavailable      nothing reached them            → retry later
├── Rejected         they understood and said no     → a person must look (code, text)
└── OutcomeUnknown   it may or may not have happened → ask by our own number; never send blindly again
```
"""
# ruff: noqa: N818 - these are outcomes a flow branches on, named as the hospital says them


class AdapterError(Exception):
    """Any failure of a neighbour; catch a subclass instead wherever the next step differs."""


class Unavailable(AdapterError):
    """Nothing of ours reached the neighbour, so sending the same thing later is safe."""


class Rejected(AdapterError):
    """The neighbour understood and refused; sending the same thing again will not help.

    `code` is the neighbour's own code (an HL7 MSA-1 such as `AE`), `text` its own words: shown to staff, never parsed.
    """

    def __init__(self, code: str, text: str) -> None:
        """Keep the neighbour's code and words."""
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text


class OutcomeUnknown(AdapterError):
    """Bytes left us and no answer that names them came back.

    `our_number` is the stable key the message carried: the neighbour is asked by it, or sent *the same* message under it.
    """

    def __init__(self, our_number: str, text: str = "") -> None:
        """Keep the number by which the neighbour can be asked."""
        super().__init__(f"outcome of {our_number} unknown" + (f": {text}" if text else ""))
        self.our_number = our_number
        self.text = text
