"""What is wrong with a configuration, one sentence for each thing."""

from msgspec import Struct


class Fault(Struct, frozen=True):
    """One fault or warning; `code` is a short word for programs, `sentence` is for people."""

    file: str
    path: str
    code: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.path}" if self.path else self.file
        return f"{place}: {self.code}: {self.sentence}"
