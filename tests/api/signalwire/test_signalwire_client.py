"""SignalWire's own software for Python against a real daemon, as if that were their space.

Nothing else of the suite needs it: `pip install 'callpost[clients]'` brings it.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
import trustme

from api.signalwire.fabric import ALL, DOCUMENTED
from api_house import ApiHouse, Receiver, a_web_receiver, an_api_house, an_event

REASON = "SignalWire's library is not installed: pip install 'callpost[clients]'"
library: ModuleType = pytest.importorskip("signalwire.rest", reason=REASON)
if not hasattr(library, "RestClient"):
    # An older package of the same name has a client for another API there.
    pytest.skip(REASON, allow_module_level=True)
# To the library 127.0.0.1 and localhost are mock servers, which it asks without TLS.
HOST = "127.0.0.2"
TOKEN = "manager" * 4
NOBODYS = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
NOT_FOUND = "Not Found"
WITHIN_S = 50.0

Said = dict[str, object]
Listed = dict[str, list[Said]]


class Webhooks(Protocol):
    """What the library has for handlers, under the name that SignalWire gives them by now."""

    def create(self, **fields: object) -> Said:
        """A new one."""
        ...

    def list(self) -> Listed:
        """All of them."""
        ...

    def get(self, resource_id: str) -> Said:
        """One of them."""
        ...

    def update(self, resource_id: str, **fields: object) -> Said:
        """Some fields of one of them."""
        ...

    def delete(self, resource_id: str) -> Said:
        """Take one of them away."""
        ...

    def list_addresses(self, resource_id: str) -> Listed:
        """The addresses of one of them."""
        ...


@pytest.fixture(scope="module")
def port() -> int:
    """One that is free."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the daemon's certificate, and the authority that has signed it."""
    directory = tmp_path_factory.mktemp("space")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    made = authority.issue_cert(HOST)
    made.private_key_and_cert_chain_pem.write_to_path(str(directory / "pair.pem"))
    return directory


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """One for all."""
    with a_web_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def house(directory: Path, port: int) -> Iterator[ApiHouse]:
    """One for all, whose API listens on the network with TLS."""
    pair = f'{{ cert = "{directory}/pair.pem", key = "{directory}/pair.pem" }}'
    door = f'listen = "{HOST}:{port}"\ntls = {pair}'
    with an_api_house(directory, door=door) as house:
        yield house


@pytest.fixture
def webhooks(
    house: ApiHouse,
    directory: Path,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> Webhooks:
    """Acme's, by project id, token and space, as the library asks for them."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(directory / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", HOST)
    client = library.RestClient(project="acme", token=TOKEN, host=f"{HOST}:{port}")
    found: Webhooks = client.fabric.swml_webhooks
    return found


@pytest.fixture
def made(webhooks: Webhooks) -> Iterator[str]:
    """The id of a new handler, which is gone again at the end."""
    identity = str(webhooks.create(**DOCUMENTED)["id"])
    yield identity
    webhooks.delete(identity)


def test_it_makes_a_handler(webhooks: Webhooks) -> None:
    """And finds in the answer what it has sent, where it looks for it."""
    created = webhooks.create(**DOCUMENTED)
    assert created["swml_webhook"] == {"id": created["id"], **DOCUMENTED}
    assert webhooks.delete(str(created["id"])) == {}


def test_it_finds_a_handler(webhooks: Webhooks, made: str) -> None:
    """Alone, and among all of them."""
    assert webhooks.list() == {"data": [webhooks.get(made)], "links": {}}


def test_it_changes_a_handler(webhooks: Webhooks, made: str) -> None:
    """Some fields of it."""
    changed = webhooks.update(made, name="Night desk", primary_request_method="POST")
    assert changed["swml_webhook"] == {
        "id": made,
        **DOCUMENTED,
        "name": "Night desk",
        "primary_request_method": "POST",
    }


def test_it_finds_the_address_of_a_handler(webhooks: Webhooks, made: str) -> None:
    """The first of the list."""
    [found] = webhooks.list_addresses(made)["data"]
    assert found["channels"] == {"audio": "/public/My%20External%20SWML%20Handler"}


def test_it_is_told_what_is_bad(webhooks: Webhooks) -> None:
    """With every attribute."""
    with pytest.raises(library.SignalWireRestError) as told:
        webhooks.create(name="", primary_request_url="ftp://h")
    assert told.value.status_code == 422
    assert [one["attribute"] for one in told.value.body["errors"]] == [
        "name",
        "primary_request_url",
    ]


def test_it_is_told_what_is_not_there(webhooks: Webhooks) -> None:
    """In the documented word."""
    with pytest.raises(library.SignalWireRestError) as told:
        webhooks.get(NOBODYS)
    assert (told.value.status_code, told.value.body) == (404, NOT_FOUND)


def test_a_call_reaches_what_it_has_made(
    house: ApiHouse, webhooks: Webhooks, receiver: Receiver
) -> None:
    """The new call at one URL, the states at the other."""
    created = webhooks.create(
        name="Reception",
        primary_request_url=receiver.url("/fetch"),
        status_callback_url=receiver.url("/states"),
    )
    kinds = ("newCall", "ringing", "answer", "hangup")
    house.feed(*(an_event("client", kind, direction="in", to="101") for kind in kinds))
    assert len(receiver.at("/fetch", 1)) == 1
    assert len(receiver.at("/states", 3)) == 3
    webhooks.delete(str(created["id"]))


def test_an_agent_of_theirs_registers_itself(
    house: ApiHouse, directory: Path, port: int, receiver: Receiver
) -> None:
    """The program that their own tool writes: at its first start, and again at the second."""
    tool = [sys.executable, "-m", "signalwire.cli.dokku", "init", "desk", "--web"]
    _run([*tool, "--host", "dokku.example"], directory)
    space = {
        "REQUESTS_CA_BUNDLE": str(directory / "ca.pem"),
        "NO_PROXY": HOST,
        "SIGNALWIRE_SPACE_NAME": f"{HOST}:{port}",
        "SIGNALWIRE_PROJECT_ID": "acme",
        "SIGNALWIRE_API_TOKEN": TOKEN,
        "AGENT_NAME": "Front desk",
        "SWML_PROXY_URL_BASE": receiver.url(""),
        "SWML_BASIC_AUTH_PASSWORD": "p4ssword",
    }
    first, second = (
        _run([sys.executable, "-c", "import app"], directory / "desk", **space) for _ in range(2)
    )
    assert "Created SWML handler: Front desk\nCall address: /public/Front%20desk\n" in first
    assert "Updated SWML handler: Front desk\nCall address: /public/Front%20desk\n" in second
    house.feed(an_event("agent", "newCall", direction="in", to="101"))
    assert len(receiver.at("/swml", 1)) == 1
    with house.client() as operator:
        operator.auth = ("acme", "any")
        [one] = operator.get(ALL).json()["data"]
        operator.delete(f"{ALL}/{one['id']}")


def _run(command: list[str], directory: Path, **environment: str) -> str:
    """What a program of theirs says."""
    done = subprocess.run(
        command,
        cwd=directory,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
