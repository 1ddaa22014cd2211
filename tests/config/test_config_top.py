"""The daemon's own tables: exact types, explicit ranges, one sentence for each fault."""

from collections.abc import Callable

import pytest

from callpost.config import Config
from callpost.model.limits import Egress, Intake, Log, SpoolLimits

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]


def test_without_any_key_everything_has_its_default(parsed: Parsed) -> None:
    """The defaults are those of the model's nouns."""
    config = parsed("")
    assert (config.intake, config.spool, config.egress, config.log, config.drain_s) == (
        Intake(),
        SpoolLimits(unended_s=21_660.0),
        Egress(),
        Log(),
        15.0,
    )


def test_the_directories_default_to_those_of_a_system_service(parsed: Parsed) -> None:
    """They are where a packaged service keeps its things."""
    config = parsed("")
    assert (config.state_directory, config.runtime_directory, config.credentials_directory) == (
        "/var/lib/callpost",
        "/run/callpost",
        "/etc/callpost/credentials",
    )


def test_the_environment_wins_over_a_default_directory(parsed: Parsed) -> None:
    """Systemd names several directories with colons; the first is ours."""
    environment = {"STATE_DIRECTORY": "/a:/b", "RUNTIME_DIRECTORY": "/c"}
    config = parsed("", environment=environment)
    assert (config.state_directory, config.runtime_directory) == ("/a", "/c")


def test_a_written_directory_wins_over_the_environment(parsed: Parsed) -> None:
    """What the operator wrote is what the operator meant."""
    config = parsed('state_directory = "/x"', environment={"STATE_DIRECTORY": "/a"})
    assert config.state_directory == "/x"


def test_a_relative_directory_in_the_environment_is_a_fault(faults_of: FaultsOf) -> None:
    """It would depend on where the daemon is started."""
    assert faults_of("", environment={"STATE_DIRECTORY": "a"}) == [
        "environment: STATE_DIRECTORY: path: must be an absolute path"
    ]


def test_values_land_in_the_model_with_their_units_resolved(parsed: Parsed) -> None:
    """Sizes are bytes, durations are seconds, modes are numbers."""
    config = parsed(
        '[intake]\nmode = "0600"\n[egress]\nmax_connections_per_host = 2\n'
        '[spool]\nmax_bytes = "64MiB"\nretain = "30m"\nretain_dead = "1.5h"\nmax_pending = 9\n'
        "[delivery]\ndrain_s = 3\n"
    )
    assert (
        config.intake.mode,
        config.spool.max_bytes,
        config.spool.retain_s,
        config.spool.retain_dead_s,
        config.spool.max_pending,
        config.egress.max_connections_per_host,
        config.drain_s,
    ) == (0o600, 64 * 2**20, 1_800.0, 5_400.0, 9, 2, 3.0)


TYPES = [
    ("[intake]\nmax_connections = true", "intake.max_connections", "found true or false"),
    ("[intake]\nmax_connections = 1.0", "intake.max_connections", "found a number"),
    ("[intake]\nmax_connections = '1'", "intake.max_connections", "found a text"),
    ("[intake]\nstream = 1", "intake.stream", "found a whole number"),
    ("[intake]\nmode = 660", "intake.mode", "found a whole number"),
    ("[spool]\nretain = 24", "spool.retain", "found a whole number"),
    ("[spool]\nmax_bytes = 1.5", "spool.max_bytes", "found a number"),
    ("[delivery]\ntimeout_s = true", "delivery.timeout_s", "found true or false"),
    ("[egress]\ndeny = '10.0.0.0/8'", "egress.deny", "found a text"),
    ("[egress]\nip = true", "egress.ip", "found true or false"),
    ("log = 'x'", "log", "found a text"),
    ("[[log]]", "log", "found a list"),
    ("state_directory = 2024-01-01", "state_directory", "found a date"),
    ("state_directory = 2024-01-01T00:00:00Z", "state_directory", "found a date"),
    ("state_directory = 10:00:00", "state_directory", "found a time of day"),
    ("state_directory = {}", "state_directory", "found a table"),
]


@pytest.mark.parametrize(("text", "path", "end"), TYPES)
def test_a_value_of_another_type_is_told_by_its_type(
    faults_of: FaultsOf, text: str, path: str, end: str
) -> None:
    """Types are exact, and the sentence says what was expected and what was found."""
    (fault,) = faults_of(text)
    assert fault.startswith(f"callpost.toml: {path}: type: expected ")
    assert fault.endswith(end)


RANGES = [
    ("[intake]\nmax_event_bytes = 1023", "intake.max_event_bytes"),
    ("[intake]\nmax_event_bytes = 1048577", "intake.max_event_bytes"),
    ("[intake]\nmax_connections = 0", "intake.max_connections"),
    ("[spool]\nmax_bytes = '15MiB'", "spool.max_bytes"),
    ("[spool]\nmax_bytes = 1", "spool.max_bytes"),
    ("[spool]\nretain_dead = '10s'", "spool.retain_dead"),
    ("[spool]\nmax_pending = 0", "spool.max_pending"),
    ("[spool]\nmax_pending = 100000001", "spool.max_pending"),
    ("[egress]\nmax_connections_per_host = 0", "egress.max_connections_per_host"),
    ("[egress]\nmax_connections_per_host = 4097", "egress.max_connections_per_host"),
    ("[delivery]\ntimeout_s = 0.04", "delivery.timeout_s"),
    ("[delivery]\ntimeout_s = nan", "delivery.timeout_s"),
    ("[delivery]\ntimeout_s = inf", "delivery.timeout_s"),
    ("[delivery]\nconcurrency = 257", "delivery.concurrency"),
    ("[delivery]\ndrain_s = -1", "delivery.drain_s"),
    ("[egress]\nconnection_max_age_s = 0", "egress.connection_max_age_s"),
]


@pytest.mark.parametrize(("text", "path"), RANGES)
def test_a_number_out_of_its_range_is_a_fault(faults_of: FaultsOf, text: str, path: str) -> None:
    """Every number has a lowest and a highest value, and the sentence says them."""
    (fault,) = faults_of(text)
    assert fault.startswith(f"callpost.toml: {path}: range: expected ")


WORDS = [
    (
        "[log]\nlevel = 'WARN'",
        (
            "log.level: choice: expected one of debug | info | warning | error; "
            'did you mean "warning"?'
        ),
    ),
    (
        "[spool]\nretain = '1 day'",
        'spool.retain: duration: expected a duration such as "500ms", "10s", "30m", "24h" or "14d"',
    ),
    (
        "[spool]\nmax_bytes = '8GB'",
        (
            'spool.max_bytes: size: expected a size such as "8GiB" (KiB, MiB, GiB, TiB) '
            "or a whole number of bytes"
        ),
    ),
    (
        "[intake]\nmode = '0999'",
        'intake.mode: mode: expected an octal file mode as a text, such as "0660"',
    ),
    (
        "[egress]\ndeny = ['10.0.0.1/8']",
        'egress.deny[1]: network: bits are set behind the prefix; did you mean "10.0.0.0/8"?',
    ),
    (
        "[egress]\nallow = ['::1', 'x']",
        'egress.allow[2]: network: expected a network such as "10.0.0.0/8" or "fd00::/8"',
    ),
    (
        "[egress]\nsource_address = 'eth0'",
        "egress.source_address: address: expected an IP address of this machine, or an empty text",
    ),
    (
        "[egress]\nsource_address = 'fe80::1%eth0'",
        "egress.source_address: address: expected an IP address of this machine, or an empty text",
    ),
    (
        "[egress]\nsource_address = '::1'\nip = '4'",
        "egress.source_address: senseless: ip = 4 contradicts a source address of version 6",
    ),
    (
        "[intake]\nstream = 'x.sock'\ndatagram = 'x.sock'",
        "intake.datagram: duplicate: this is the path of intake.stream",
    ),
    (
        "[intake]\nstream = 'x.sock'\ndatagram = '/run/callpost/./x.sock'",
        "intake.datagram: duplicate: this is the path of intake.stream",
    ),
    (
        f"runtime_directory = '/{'r' * 100}'\n[intake]\ndatagram = ''\n[control]\nsocket = ''",
        "intake.stream: range: the socket's whole path must have at most 107 bytes",
    ),
    (
        "[intake]\ngroup = 'no-such-group'",
        'intake.group: group: there is no group "no-such-group" on this machine',
    ),
    (
        "[control]\ngroup = 'no-such-group'",
        'control.group: group: there is no group "no-such-group" on this machine',
    ),
    (
        "[metrics]\nlisten = '/run/callpost/events.sock'",
        "metrics.listen: duplicate: this is the path of intake.stream",
    ),
    (
        "[control]\nsocket = 'datagrams.sock'",
        "control.socket: duplicate: this is the path of intake.datagram",
    ),
    (
        f"[control]\nsocket = '/{'r' * 107}'",
        "control.socket: range: must have at most 107 characters",
    ),
    (
        "[control]\nsoket = ''",
        'control.soket: unknown_key: there is no such key; did you mean "socket"?',
    ),
    (
        "credentials_directory = 'secrets'",
        "credentials_directory: path: must be an absolute path, one that begins with /",
    ),
    (
        "[intake]\nstrem = 'x'",
        'intake.strem: unknown_key: there is no such key; did you mean "stream"?',
    ),
    ("[zzz]", "zzz: unknown_key: there is no such key"),
    ('"\\u001b[2J" = 1', '"\\x1b[2J": unknown_key: there is no such key'),
]


@pytest.mark.parametrize(("text", "fault"), WORDS)
def test_each_fault_has_its_own_sentence(faults_of: FaultsOf, text: str, fault: str) -> None:
    """The sentence says what would be right."""
    assert faults_of(text) == [f"callpost.toml: {fault}"]


def test_a_socket_may_be_turned_off(parsed: Parsed) -> None:
    """An empty path is no socket."""
    assert parsed("[intake]\ndatagram = ''").intake.datagram == ""


def test_the_version_of_ip_may_be_written_as_a_number(parsed: Callable[..., Config]) -> None:
    """`ip = 4` and `ip = "4"` say the same."""
    assert parsed("[egress]\nip = 4").egress == parsed('[egress]\nip = "4"').egress
