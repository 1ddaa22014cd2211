"""The API keeps what its description promises: schemathesis asks at the door of a real daemon.

It is no dependency of the suite: the extra `contract` has it, best in an environment of its own,
whose command $CALLPOST_SCHEMATHESIS names.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from api_house import an_api_house

_CONFIG: Final = Path(__file__).with_name("schemathesis.toml")
# Some five thousand requests.
_WITHIN_S: Final = 900
_COMMAND: Final = os.environ.get("CALLPOST_SCHEMATHESIS") or shutil.which(
    "schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)


@pytest.mark.slow
@pytest.mark.skipif(_COMMAND is None, reason="schemathesis is not installed (extra `contract`)")
def test_the_api_keeps_what_its_description_promises(tmp_path: Path) -> None:
    """Statuses, types, headers and schemas of every answer; what is malformed is refused."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = '[[subscription]]\nname = "crm"\ncustomer = "acme"\nurl = "http://127.0.0.1:9/"\n'
    with an_api_house(tmp_path, text, door=f'listen = "127.0.0.1:{port}"') as house:
        asked = subprocess.run(
            [
                *(str(_COMMAND), "--config-file", str(_CONFIG), "run", "--no-color"),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", "10"),
                *("--seed", "1", "--workers", "2"),
                *("--header", f"Authorization: Bearer {'manager' * 4}"),
                f"http://127.0.0.1:{port}/v1/openapi.json",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        log = (house.directory / "log").read_text()
    assert asked.returncode == 0, asked.stdout[-20_000:] + asked.stderr[-2_000:]
    assert "http.failed" not in log
