"""What the operating system says of an error, as the end of a sentence of ours."""


def words_of(error: OSError) -> str:
    """In small letters and without a full stop: `no such file or directory`."""
    # One that was raised without a number has none of its own.
    return (error.strerror or "input/output error").lower()
