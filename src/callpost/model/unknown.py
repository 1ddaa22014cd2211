"""What an operator asks for and is not there, or cannot be had now."""


class UnknownSubscription(Exception):
    """There is no subscription of this name; the message is one sentence for people."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no subscription named {name!r}.")
        self.name = name


class BadCursor(Exception):
    """A cursor that no listing gave out."""


class CannotNow(Exception):
    """It may work later, or after the next start; the message is one sentence for people."""
