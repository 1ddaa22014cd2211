"""`import` and `export`: what they write, what they say, and how they end."""

import json
import stat
import tomllib
from pathlib import Path

import pytest
import trio
from asyncclick.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from callpost.api.systems import SYSTEMS
from callpost.api.translated import Translated
from callpost.cli import callpost
from callpost.cli.imported import Imported, configuration

GOOD = {"_id": "5f1e9a3b2c4d5e6f70819203", "url": "tcp://100.64.123.103:4010"}
GOOD |= {"method": "POSTJSON", "selection": "ALL"}
FAULTY = {"_id": "5f1e9a3b2c4d5e6f70819204", "url": "ftp://a.b/", "method": "PUT"}


async def run(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run it in a pipe."""
    return await CliRunner().invoke(callpost, list(arguments), input=stdin)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A list with a good item."""
    path = tmp_path / "list.json"
    path.write_text(json.dumps([GOOD]))
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A list with a good item and a faulty one."""
    path = tmp_path / "faulty.json"
    path.write_text(json.dumps([GOOD, FAULTY]))
    return path


async def test_the_configuration_goes_to_standard_output(saved: Path) -> None:
    """As TOML that can be read back."""
    result = await run("import", "--from", "telecomx", str(saved))
    assert (result.exit_code, tomllib.loads(result.stdout)["subscription"]) == (
        0,
        [
            {
                "name": "telecomx-5f1e9a3b2c4d5e6f70819203",
                "url": "tcp://100.64.123.103:4010",
                "method": "POSTJSON",
                "selection": "ALL",
            }
        ],
    )


async def test_a_file_is_written_for_its_owner_and_the_service(saved: Path, tmp_path: Path) -> None:
    """It may hold secrets."""
    output = tmp_path / "acme.toml"
    result = await run("import", "--from", "telecomx", str(saved), "--output", str(output))
    assert (result.exit_code, stat.S_IMODE(output.stat().st_mode)) == (0, 0o640)


async def test_the_file_passes_check(saved: Path, tmp_path: Path) -> None:
    """It is a whole configuration."""
    output = tmp_path / "acme.toml"
    await run("import", "--from", "telecomx", str(saved), "--output", str(output))
    assert (await run("check", "--config", str(output))).exit_code == 0


async def test_nothing_is_written_over_a_file(saved: Path, tmp_path: Path) -> None:
    """Whatever it is."""
    output = tmp_path / "acme.toml"
    output.write_text("mine")
    result = await run("import", "--from", "telecomx", str(saved), "--output", str(output))
    assert (result.exit_code, output.read_text()) == (1, "mine")


async def test_a_customer_stands_in_every_table(saved: Path) -> None:
    """It was in the path of the request."""
    result = await run("import", "--from", "telecomx", str(saved), "--customer", "acme")
    assert tomllib.loads(result.stdout)["subscription"][0]["customer"] == "acme"


async def test_an_extension_is_that_of_all_that_name_none(tmp_path: Path) -> None:
    """It was in the path of the request, too."""
    path = tmp_path / "list.json"
    path.write_text('[{"type":2,"method":1,"url":"https://a.b/"}]')
    result = await run("import", "--from", "voipnow", str(path), "--extension", "0003*210")
    [table] = tomllib.loads(result.stdout)["subscription"]
    assert (table["name"], table["extension"]) == ("voipnow-0003-210", ["0003*210"])


async def test_a_faulty_item_is_told_and_nothing_is_written(faulty: Path, tmp_path: Path) -> None:
    """With its place and its field; every fault of it."""
    output = tmp_path / "acme.toml"
    result = await run("import", "--from", "telecomx", str(faulty), "--output", str(output))
    assert (result.exit_code, result.stderr.splitlines(), output.exists()) == (
        1,
        [
            f"{faulty}: $[1].url: url: URL protocol is invalid",
            f"{faulty}: $[1].method: method: Invalid method",
            "Error: Nothing was written; --skip-faulty leaves out what is faulty.",
        ],
        False,
    )


async def test_a_faulty_item_can_be_left_out(faulty: Path) -> None:
    """It is told all the same."""
    result = await run("import", "--from", "telecomx", str(faulty), "--skip-faulty")
    tables = tomllib.loads(result.stdout)["subscription"]
    assert (result.exit_code, len(tables), "$[1].url" in result.stderr) == (0, 1, True)


async def test_what_the_configuration_refuses_is_told_with_its_item(saved: Path) -> None:
    """The key is that of the configuration."""
    result = await run("import", "--from", "telecomx", str(saved), "--customer", "x" * 300)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        1,
        f"{saved}: $[0], as customer: range: must have at most 255 characters",
    )


async def test_what_was_lost_is_told_and_stands_in_a_comment(tmp_path: Path) -> None:
    """So that whoever reads the file knows it, too."""
    path = tmp_path / "list.json"
    path.write_text(json.dumps([GOOD | {"colour": 1}]))
    result = await run("import", "--from", "telecomx", str(path))
    sentence = "$[0].colour is nothing that callpost knows; it was left out"
    assert (f"# Lost: {sentence}." in result.stdout, result.stderr) == (
        True,
        f"{path}: $[0]: lost: {sentence}\n",
    )


async def test_a_credential_that_is_needed_is_told(tmp_path: Path) -> None:
    """Before somebody wonders at the start why it is missing."""
    path = tmp_path / "list.json"
    item = {"name": "menu", "type": "DTMF", "method": "GET", "url": "https://a.b/", "auth": "BASIC"}
    path.write_text(json.dumps({"items": [item | {"username": "u", "password": "********"}]}))
    result = await run("import", "--from", "portsip", str(path), "--extension", "8000")
    [told] = [line for line in result.stderr.splitlines() if "needs the credential" in line]
    [table] = tomllib.loads(result.stdout)["subscription"]
    name = told.removeprefix(f"{path}: needs the credential ")
    assert (table["auth"]["password"], f"# Needs the credential {name}:" in result.stdout) == (
        f"credential:{name}",
        True,
    )


async def test_names_are_unique(tmp_path: Path) -> None:
    """Without an id of its own each gets a number."""
    path = tmp_path / "list.json"
    path.write_text(json.dumps([GOOD | {"_id": None}] * 2))
    result = await run("import", "--from", "telecomx", str(path))
    names = [one["name"] for one in tomllib.loads(result.stdout)["subscription"]]
    assert names == ["telecomx", "telecomx-2"]


async def test_standard_input_is_a_file() -> None:
    """By its dash."""
    stdin = json.dumps([GOOD]).encode()
    result = await run("import", "--from", "telecomx", "-", stdin=stdin)
    assert (result.exit_code, "# From standard input" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html>", "$: syntax: is not JSON"),
        (b"7", "$: type: expected a list or an object, found a whole number"),
        (b"[]", "has nothing to carry over, so nothing was written."),
        (b"{}", "$.url: url: Invalid URL"),
        (b"[7]", "$[0]: type: expected an object, found a whole number"),
        (b" " * 2**20, "$: syntax: is not JSON"),
    ],
)
async def test_a_document_that_is_none_is_told(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    """In one sentence, and with exit status 1."""
    path = tmp_path / "list.json"
    path.write_bytes(content)
    result = await run("import", "--from", "telecomx", str(path))
    assert (result.exit_code, sentence in result.stderr, result.stdout) == (1, True, "")


async def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its name."""
    path = tmp_path / "list.json"
    result = await run("import", "--from", "telecomx", str(path))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {path} cannot be read: no such file or directory.\n",
    )


async def test_another_system_is_wrong_usage(saved: Path) -> None:
    """Those that there are stand in the sentence."""
    result = await run("import", "--from", "asterisk", str(saved))
    assert (result.exit_code, "telecomx" in result.stderr) == (2, True)


async def test_what_is_exported_is_imported_as_it_was(saved: Path, tmp_path: Path) -> None:
    """There and back."""
    output, exported = tmp_path / "acme.toml", tmp_path / "exported.json"
    await run("import", "--from", "telecomx", str(saved), "--output", str(output))
    arguments = ("--config", str(output), "--output", str(exported))
    result = await run("export", "--to", "telecomx", *arguments)
    assert (result.exit_code, result.stderr, json.loads(exported.read_text())) == (0, "", [GOOD])


CONFIGURATION = """
[[subscription]]
name = "crm"
url = "https://crm.example.com/x?key=secret"
preset = "voipnow"
extension = ["0003*210"]
customer = "acme"
caller = ["+45*"]

[[subscription]]
name = "other"
url = "https://other.example.com/"

[[forward]]
number = "101"
to = ["102"]
customer = "acme"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of two customers."""
    path = tmp_path / "callpost.toml"
    path.write_text(CONFIGURATION)
    return path


async def test_what_a_system_has_no_word_for_is_told(config: Path) -> None:
    """On standard error, and the list is made all the same."""
    result = await run("export", "--to", "voipnow", "--config", str(config))
    assert (
        result.exit_code,
        len(json.loads(result.stdout)["entry"]),
        result.stderr.splitlines(),
    ) == (
        0,
        5,
        [
            "lost: crm: VoipNow has no word for customer",
            "lost: crm: VoipNow has no word for caller",
            "lost: other: was left out, as VoipNow has no events but those of a named extension",
        ],
    )


async def test_one_customers_own_are_exported(config: Path) -> None:
    """The customer is then in the path, and nothing is lost by that."""
    arguments = ("--customer", "acme", "--config", str(config))
    result = await run("export", "--to", "telecomx", *arguments)
    assert ([one["url"] for one in json.loads(result.stdout)], "customer" in result.stderr) == (
        ["https://crm.example.com/x?key=secret"],
        False,
    )


SECRETS = """
[[subscription]]
name = "crm"
url = "http://u:sekret@127.0.0.1:1/?a=b"
method = "POSTARGS"
vocabulary = "%s"
extension = ["8000"]
extension_type = ["ivr"]
events = ["%s"]
"""
# To each system the words that it has for it.
SECRETIVE = {
    "telecomx": SECRETS % ("callpost", "newCall"),
    "voipnow": SECRETS % ("voipnow", "newCall"),
    "signalwire": SECRETS % ("swml", 'newCall", "hangup')
    + 'status_callback = { url = "https://t0ken@h/" }\n'
    + 'fallback = [{ url = "http://v:sekret@h/" }]\n',
    "portsip": SECRETS % ("callpost", "dtmf") + 'headers = { "X-Key" = "plainkey" }\n',
}
LOST = {
    "telecomx": ["crm: the secret in its URL was written as ********"],
    "voipnow": ["crm: the secret in its URL was written as ********"],
    "signalwire": [
        f"crm: the secret in the URL of the {place} was written as ********"
        for place in ("primary_request", "fallback_request", "status_callback")
    ],
    "portsip": [
        "crm: the header X-Key was written without its value",
        "crm: the secret in its URL was written as ********",
    ],
}


@pytest.fixture(params=SECRETIVE)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A system, and a configuration with secrets that it has words for."""
    (tmp_path / "callpost.toml").write_text(SECRETIVE[request.param])
    return str(request.param)


async def test_no_secret_is_exported(system: str, tmp_path: Path) -> None:
    """Neither the password of a URL nor the value of a header; each mask is told."""
    result = await run("export", "--to", system, "--config", str(tmp_path / "callpost.toml"))
    told = [line.removeprefix("lost: ") for line in result.stderr.splitlines()]
    secrets = [secret for secret in ("sekret", "plainkey", "t0ken") if secret in result.output]
    assert (secrets, [line for line in told if "written" in line]) == ([], LOST[system])


async def test_a_masked_secret_becomes_a_credential_that_is_asked_for(
    system: str, tmp_path: Path
) -> None:
    """What is imported of an export never sends the mask."""
    exported = tmp_path / "exported.json"
    arguments = ("--config", str(tmp_path / "callpost.toml"), "--output", str(exported))
    await run("export", "--to", system, *arguments)
    result = await run("import", "--from", system, str(exported), "--extension", "8000")
    needed = [line for line in result.stderr.splitlines() if "needs the credential" in line]
    assert (len(needed), "********" in result.stdout) == (len(LOST[system]), False)


async def test_no_two_secrets_have_one_credential(tmp_path: Path) -> None:
    """What a header is to have is not sent as the password of the URL."""
    headers = {"headers": "Url: ********", "url": "https://u:********@h.example/"}
    path = tmp_path / "list.json"
    item = {"id": "1", "name": "p", "type": "DTMF", "method": "GET", "dtmf_mask": "1", **headers}
    path.write_text(json.dumps({"items": [item]}))
    result = await run("import", "--from", "portsip", str(path), "--extension", "8000")
    [table] = tomllib.loads(result.stdout)["subscription"]
    assert table["headers"]["Url"] != table["auth"]["password"]


async def test_the_user_of_a_masked_password_is_kept(tmp_path: Path) -> None:
    """Only the secret is missing, and where to put it is told."""
    path = tmp_path / "list.json"
    path.write_text(json.dumps([GOOD | {"url": "http://u%40x:********@127.0.0.1:1/?a=b"}]))
    result = await run("import", "--from", "telecomx", str(path))
    name = "telecomx-5f1e9a3b2c4d5e6f70819203-url"
    [table] = tomllib.loads(result.stdout)["subscription"]
    told = f"the secret in the url was not carried over; put it into the credential {name}\n"
    assert (table["url"], table["auth"], result.stderr.endswith(told)) == (
        "http://127.0.0.1:1/?a=b",
        {"type": "basic", "username": "u@x", "password": f"credential:{name}"},
        True,
    )


async def test_a_masked_url_beside_another_auth_loses_its_user_only(tmp_path: Path) -> None:
    """The auth of the item goes first as ever, so nothing is missing."""
    path = tmp_path / "list.json"
    item = {"name": "menu", "type": "DTMF", "url": "http://u:********@h/", "auth": "BEARER"}
    path.write_text(json.dumps({"items": [item | {"token": "t"}]}))
    result = await run("import", "--from", "portsip", str(path), "--extension", "8000")
    [table] = tomllib.loads(result.stdout)["subscription"]
    assert (table["url"], table["auth"]["type"]) == ("http://h/", "bearer")


async def test_a_customer_who_is_not_in_the_registry_is_not_exported(config: Path) -> None:
    """An empty list would be taken for an answer."""
    with config.open("a") as file:
        file.write('[[customer]]\nid = "acme"\n')
    arguments = ("--customer", "acmee", "--config", str(config))
    result = await run("export", "--to", "telecomx", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "Error: There is no [[customer]] 'acmee'; did you mean \"acme\"?\n",
    )


async def test_forward_rules_are_exported(config: Path) -> None:
    """To the one system that has them."""
    result = await run("export", "--to", "basip", "--customer", "acme", "--config", str(config))
    assert json.loads(result.stdout)["list_items"] == [
        {"forward_number": 101, "forward_entity_list": ["102"]}
    ]


async def test_a_faulty_configuration_is_not_exported(tmp_path: Path) -> None:
    """Its faults are told as `check` tells them."""
    path = tmp_path / "callpost.toml"
    path.write_text("x = 1")
    result = await run("export", "--to", "telecomx", "--config", str(path))
    assert (result.exit_code, result.stdout, "unknown_key" in result.stderr) == (1, "", True)


async def test_an_export_is_not_written_over_a_file(config: Path) -> None:
    """Not even over the configuration."""
    arguments = ("--config", str(config), "--output", str(config))
    result = await run("export", "--to", "telecomx", *arguments)
    written = await trio.Path(config).read_text()
    assert (result.exit_code, written) == (1, CONFIGURATION)


@given(st.text(max_size=300))
def test_a_comment_is_one_whatever_is_in_it(sentence: str) -> None:
    """A list may say anything, and a file may be called anything."""
    item = Translated(paths=("$", sentence), table={"name": "crm"}, lost=(sentence,))
    text = configuration(SYSTEMS["telecomx"], Imported((item,), (), (sentence,)), file=sentence)
    assert tomllib.loads(text) == {"subscription": [{"name": "crm"}]}
