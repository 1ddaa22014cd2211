"""`callpost` and `python -m callpost`: the way in from a shell."""

import sys
from typing import Final

from callpost.cli import callpost

# What a shell reports of a program that SIGINT has ended.
_EXIT_INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line on trio; nobody gets a traceback for Ctrl-C or a full disk."""
    try:
        # However it is started, its completion and its help go by this name.
        callpost(_anyio_backend="trio", prog_name="callpost")
    except* KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
    except* OSError as faults:
        fault = _first(faults)
        sys.exit(f"Error: {fault.strerror or fault}.")


def _first(faults: BaseExceptionGroup[OSError]) -> OSError:
    for fault in faults.exceptions:
        return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault
    raise AssertionError


if __name__ == "__main__":
    main()
