"""`callpost` and `python -m callpost`: the way in from a shell."""

from callpost.cli import callpost


def main() -> None:
    """Run the command line on trio."""
    callpost(_anyio_backend="trio")


if __name__ == "__main__":
    main()
