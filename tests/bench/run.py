"""All benchmarks, by one command: `.venv/bin/python tests/bench/run.py`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run by its path, Python looks beside it; the package `bench` is one folder up.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    try:
        from bench.command import main
    except ModuleNotFoundError as missing:
        sys.exit(
            f"The module {missing.name} is missing. From the root of the tree:\n"
            "  .venv/bin/pip install -c .ci/constraints.txt -e '.[bench]'"
        )
    main()
