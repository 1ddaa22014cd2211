"""A path becomes a configuration, or all faults of all its files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from callpost.config import FaultyConfig
from callpost.loading import ConfigFiles, Loaded, load

SUBSCRIPTION = '[[subscription]]\nname = "a"\nurl = "https://h/"\n'


def test_files_credentials_and_defaults_come_together(tmp_path: Path) -> None:
    """The directory of credentials is itself a value of the configuration."""
    (tmp_path / "token").write_text("s3cret\n")
    main = tmp_path / "callpost.toml"
    main.write_text(f'credentials_directory = "{tmp_path}"\n')
    (tmp_path / "conf.d").mkdir()
    drop_in = SUBSCRIPTION + 'auth = { type = "bearer", token = "credential:token" }'
    (tmp_path / "conf.d" / "a.toml").write_text(drop_in)
    (found,) = load(main, {}).subscriptions
    assert "s3cret" in repr(found.endpoints[0])


def test_unreadable_files_and_faults_are_told_together(tmp_path: Path) -> None:
    """A file that cannot be read does not hide what is wrong with the others."""
    main = tmp_path / "callpost.toml"
    main.write_text(SUBSCRIPTION + 'tls = { ca_file = "/nowhere/ca.pem" }')
    (tmp_path / "conf.d" / "a.toml").mkdir(parents=True)
    with pytest.raises(FaultyConfig) as caught:
        load(main, {})
    assert [str(fault) for fault in caught.value.faults] == [
        f"{tmp_path}/conf.d/a.toml: file: is a directory, not a file",
        f"{main}: subscription.a.tls.ca_file: file: cannot be read: no such file or directory",
    ]


def test_a_certificate_and_a_key_that_do_not_belong_together_are_a_fault(tmp_path: Path) -> None:
    """Told before a start and at a reload, not at the first handshake."""
    authority = trustme.CA()
    for name in ("one", "other"):
        made = authority.issue_cert("api.example")
        (tmp_path / f"{name}.pem").write_bytes(made.private_key_and_cert_chain_pem.bytes())
    (tmp_path / "key.pem").write_bytes(made.private_key_pem.bytes())
    main = tmp_path / "callpost.toml"
    main.write_text(
        f'{SUBSCRIPTION}[api]\nlisten = "0.0.0.0:8787"\n'
        f'tls = {{ cert = "{tmp_path}/one.pem", key = "{tmp_path}/key.pem" }}\n'
        '[[api.token]]\nname = "a"\nrole = "admin"\ntoken = "sixteen-visible!"\n'
    )
    with pytest.raises(FaultyConfig) as caught:
        load(main, {})
    assert [str(fault) for fault in caught.value.faults] == [
        f"{main}: api.tls: tls: the key is not that of the certificate"
    ]


NO_AUTHORITIES = "must hold certificates of authorities in PEM"
BOTH = "; without client_key the file of client_cert holds both"
NO_PAIR = "cert and key must be a certificate and its private key in PEM"


@pytest.fixture
def pems(tmp_path: Path) -> Path:
    """An authority, two certificates of it, each with and without its key, and no PEM at all."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("one", "other"):
        made = authority.issue_cert("callpost.example")
        (tmp_path / f"{name}.pem").write_bytes(made.private_key_and_cert_chain_pem.bytes())
        (tmp_path / f"{name}-cert.pem").write_bytes(made.cert_chain_pems[0].bytes())
        (tmp_path / f"{name}-key.pem").write_bytes(made.private_key_pem.bytes())
    (tmp_path / "text.pem").write_text("root:x:0:0\n")
    return tmp_path


def tls_faults(pems: Path, table: str) -> list[str]:
    """What is said of a subscription with this in `tls`, where P/ is the directory."""
    main = pems / "callpost.toml"
    main.write_text(f"{SUBSCRIPTION}{table}\n".replace("P/", f"{pems}/"))
    try:
        load(main, {})
    except FaultyConfig as faulty:
        return [str(fault).removeprefix(f"{main}: subscription.a.") for fault in faulty.faults]
    return []


@pytest.mark.parametrize(
    "table",
    [
        'tls = { ca_file = "P/ca.pem" }',
        'tls = { client_cert = "P/one.pem" }',
        'tls = { client_cert = "P/one-cert.pem", client_key = "P/one-key.pem" }',
        'tls = { ca_file = "P/ca.pem", client_cert = "P/one-cert.pem", client_key = "P/one.pem" }',
        'tls = { ca_file = "", client_cert = "", client_key = "" }',
    ],
)
def test_files_of_tls_that_can_be_used_are_no_fault(pems: Path, table: str) -> None:
    """A certificate and its key may stand in one file."""
    assert tls_faults(pems, table) == []


@pytest.mark.parametrize(
    ("table", "faults"),
    [
        (
            'tls = { ca_file = "P/text.pem" }',
            [f"tls.ca_file: tls: {NO_AUTHORITIES}"],
        ),
        (
            'tls = { client_cert = "P/one-cert.pem", client_key = "P/other-key.pem" }',
            ["tls: tls: the key is not that of the certificate"],
        ),
        (
            'tls = { client_cert = "P/one-cert.pem" }',
            [f"tls: tls: {NO_PAIR}{BOTH}"],
        ),
        (
            'tls = { ca_file = "P/text.pem", client_cert = "P/text.pem", client_key = "P/none" }',
            [
                f"tls.ca_file: tls: {NO_AUTHORITIES}",
                "tls.client_key: file: cannot be read: no such file or directory",
            ],
        ),
        (
            'fallback = [{ url = "https://i/", tls = { ca_file = "P/text.pem" } }]',
            [f"fallback[1].tls.ca_file: tls: {NO_AUTHORITIES}"],
        ),
        (
            'status_callback.url = "https://i/"\nstatus_callback.tls.client_cert = "P/text.pem"',
            [f"status_callback.tls: tls: {NO_PAIR}{BOTH}"],
        ),
        (
            'delivery_report = { url = "https://i/", tls = { ca_file = "P/text.pem" } }',
            [f"delivery_report.tls.ca_file: tls: {NO_AUTHORITIES}"],
        ),
        (
            'preset = "x"\n[preset.x]\ntls = { ca_file = "P/text.pem" }',
            [f"P/callpost.toml: preset.x.tls.ca_file: tls: {NO_AUTHORITIES}"],
        ),
    ],
)
def test_files_of_tls_that_cannot_be_used_are_a_fault(
    pems: Path, table: str, faults: list[str]
) -> None:
    """Told before a start and at a reload, not at each attempt."""
    assert tls_faults(pems, table) == [fault.replace("P/", f"{pems}/") for fault in faults]


def test_a_file_of_tls_that_changes_is_read_anew_at_each_load(pems: Path) -> None:
    """What was good may be so no longer."""
    table = 'tls = { ca_file = "P/ca.pem" }'
    before = tls_faults(pems, table)
    (pems / "ca.pem").write_text("nothing")
    assert (before, len(tls_faults(pems, table))) == ([], 1)


def test_an_unreadable_file_alone_is_a_fault(tmp_path: Path) -> None:
    """Nothing runs on half of its configuration."""
    with pytest.raises(FaultyConfig, match=r"file: cannot be read: no such file or directory$"):
        load(tmp_path / "callpost.toml", {})


def test_a_name_that_would_disturb_a_terminal_is_escaped(tmp_path: Path) -> None:
    """Names of files come from outside, too."""
    main = tmp_path / "a\x1b[2J\udcff.toml"
    with pytest.raises(FaultyConfig) as caught:
        load(main, {})
    assert caught.value.faults[0].file == f"{tmp_path}/a\\x1b[2J\\xff.toml"


def started(main: Path, environment: dict[str, str] | None = None) -> Loaded:
    """What a start goes on with."""
    return ConfigFiles(main, environment or {}).load_for_start()


def kept(directory: Path) -> Path:
    """A configuration that was good once, and is kept in its state directory."""
    main = directory / "callpost.toml"
    (directory / "state").mkdir()
    main.write_text(f'state_directory = "{directory}/state"\n{SUBSCRIPTION}')
    files = ConfigFiles(main, {})
    files.keep(files.load())
    return main


def test_a_start_with_good_files_has_no_faults(tmp_path: Path) -> None:
    """What was kept before does not count."""
    main = kept(tmp_path)
    main.write_text(main.read_text() + SUBSCRIPTION.replace('"a"', '"b"'))
    found = started(main)
    assert ([one.name for one in found.config.subscriptions], found.faults) == (["a", "b"], ())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: f"{text}nonsense = 1\n",
        lambda text: f"{text}[intake\n",
        lambda text: f"nonsense = \n{text}",
        lambda text: text.replace('url = "https://h/"', 'url = "nowhere"'),
    ],
)
def test_a_start_with_faulty_files_goes_on_with_the_last_good(
    tmp_path: Path, spoil: Callable[[str], str]
) -> None:
    """Found by what can be read of `state_directory`; the faults are told along."""
    main = kept(tmp_path)
    main.write_text(spoil(main.read_text()))
    found = started(main)
    assert [one.name for one in found.config.subscriptions] == ["a"]
    assert found.faults != ()


@pytest.mark.parametrize(
    ("table", "spoilt"),
    [
        ('tls = { ca_file = "P/ca.pem" }', "ca.pem"),
        ('tls = { client_cert = "P/one-cert.pem", client_key = "P/one-key.pem" }', "one-key.pem"),
    ],
)
def test_no_start_fails_by_the_files_of_one_endpoint(pems: Path, table: str, spoilt: str) -> None:
    """As it is while a pair is half renewed: only the attempts there fail; each is a warning."""
    main = pems / "callpost.toml"
    main.write_text(f"{SUBSCRIPTION}{table}\n".replace("P/", f"{pems}/"))
    (pems / spoilt).write_text("nothing")
    found = started(main)
    assert (len(found.config.subscriptions), len(found.config.warnings), found.faults) == (1, 1, ())


def test_no_start_fails_by_a_group_that_may_come_yet(tmp_path: Path) -> None:
    """Of a directory service that is late; who makes the socket knows whether it is needed."""
    main = tmp_path / "callpost.toml"
    main.write_text(f'{SUBSCRIPTION}[intake]\ngroup = "no-such-group"\n')
    assert [one.code for one in started(main).config.warnings] == ["group"]


def test_the_last_good_one_is_of_use_although_a_file_of_tls_is_not(pems: Path) -> None:
    """Whatever else is wrong with the files as they are."""
    main = pems / "callpost.toml"
    good = (
        f'state_directory = "{pems}/state"\n{SUBSCRIPTION}tls = {{ ca_file = "{pems}/ca.pem" }}\n'
    )
    main.write_text(good)
    (pems / "state").mkdir()
    files = ConfigFiles(main, {})
    files.keep(files.load())
    main.write_text(f"nonsense = 1\n{good}")
    (pems / "ca.pem").write_text("nothing")
    assert len(started(main).config.subscriptions) == 1


def test_without_a_readable_key_the_environment_says_where_the_last_good_is(
    tmp_path: Path,
) -> None:
    """As it says where the spool is."""
    main = kept(tmp_path)
    main.write_bytes(b"\xff\xfe")
    assert started(main, {"STATE_DIRECTORY": f"{tmp_path}/state"}).faults != ()


def test_a_missing_file_is_faulty_too(tmp_path: Path) -> None:
    """Whoever has deleted it by mistake loses no events."""
    main = kept(tmp_path)
    main.unlink()
    environment = {"STATE_DIRECTORY": f"{tmp_path}/state"}
    assert len(started(main, environment).config.subscriptions) == 1


def test_without_a_last_good_one_a_faulty_start_fails(tmp_path: Path) -> None:
    """There is nothing to go on with."""
    main = tmp_path / "callpost.toml"
    main.write_text(f'state_directory = "{tmp_path}"\nnonsense = 1\n')
    with pytest.raises(FaultyConfig, match="nonsense"):
        started(main)


def test_the_last_good_one_uses_the_credentials_of_now(tmp_path: Path) -> None:
    """They are not kept: a revoked one must not live on in another place."""
    main = kept(tmp_path)
    (tmp_path / "token").write_text("old-secret")
    bearer = 'auth = { type = "bearer", token = "credential:token" }\n'
    main.write_text(f'credentials_directory = "{tmp_path}"\n{main.read_text()}{bearer}')
    files = ConfigFiles(main, {})
    files.keep(files.load())
    (tmp_path / "token").write_text("new-secret")
    main.write_text(main.read_text() + "nonsense = 1\n")
    assert b"old-secret" not in (tmp_path / "state" / "config.last-good").read_bytes()
    assert "new-secret" in repr(started(main).config.subscriptions[0])


def test_a_last_good_one_whose_credential_has_gone_is_of_no_use(tmp_path: Path) -> None:
    """It is as faulty as the files are."""
    main = kept(tmp_path)
    (tmp_path / "token").write_text("secret")
    bearer = 'auth = { type = "bearer", token = "credential:token" }\n'
    main.write_text(f'credentials_directory = "{tmp_path}"\n{main.read_text()}{bearer}')
    files = ConfigFiles(main, {})
    files.keep(files.load())
    (tmp_path / "token").unlink()
    with pytest.raises(FaultyConfig, match="token"):
        started(main)


def test_a_file_of_tls_with_another_content_makes_another_endpoint(tmp_path: Path) -> None:
    """So that a reload sees a renewed certificate."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    main = tmp_path / "callpost.toml"
    main.write_text(f'{SUBSCRIPTION}tls = {{ ca_file = "{tmp_path}/ca.pem" }}')
    first, again = load(main, {}).subscriptions, load(main, {}).subscriptions
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert (first == again, load(main, {}).subscriptions == first) == (True, False)
