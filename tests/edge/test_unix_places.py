"""The sockets at their paths: made safely, and never in place of something that is in use."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callpost.edge.receive_unix import SocketUnusable, bind_datagram, listen_stream

Make = Callable[..., socket.socket]
makers = pytest.mark.parametrize("make", [listen_stream, bind_datagram])


@pytest.fixture
def umask() -> Iterator[None]:
    """Run under the umask of the daemon."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@makers
@pytest.mark.usefixtures("umask")
def test_the_socket_has_its_mode_whatever_the_umask(make: Make, tmp_path: Path) -> None:
    """A group of producers gets in although the daemon's files are its own."""
    with make(tmp_path / "x.sock", mode=0o660, group=""):
        assert stat.S_IMODE((tmp_path / "x.sock").stat().st_mode) == 0o660


@makers
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to any group")
def test_the_socket_belongs_to_its_group(make: Make, tmp_path: Path) -> None:
    """The group in the configuration is the one that may write."""
    with make(tmp_path / "x.sock", mode=0o660, group="daemon"):
        assert (tmp_path / "x.sock").stat().st_gid == 1


@makers
def test_a_stale_socket_is_replaced(make: Make, tmp_path: Path) -> None:
    """What a daemon that was killed left behind does not keep the next one from starting."""
    make(tmp_path / "x.sock", mode=0o600, group="").close()
    with make(tmp_path / "x.sock", mode=0o600, group=""):
        assert (tmp_path / "x.sock").is_socket()


def test_a_stream_in_use_is_left_alone_and_its_holder_named(tmp_path: Path) -> None:
    """Two daemons never share a path; the second one says who was first."""
    held_by = rf"process {os.getpid()} \(.+\) answers on this socket already"
    with (
        listen_stream(tmp_path / "x.sock", mode=0o600, group=""),
        pytest.raises(SocketUnusable, match=held_by),
    ):
        listen_stream(tmp_path / "x.sock", mode=0o600, group="")


@makers
def test_a_datagram_socket_in_use_is_left_alone(make: Make, tmp_path: Path) -> None:
    """A datagram socket has no peer to name, but it is in use all the same."""
    with (
        bind_datagram(tmp_path / "x.sock", mode=0o600, group=""),
        pytest.raises(SocketUnusable, match="another process answers on this socket already"),
    ):
        make(tmp_path / "x.sock", mode=0o600, group="")


@makers
def test_what_is_no_socket_is_left_alone(make: Make, tmp_path: Path) -> None:
    """A file at the socket's path is somebody's file."""
    (tmp_path / "x.sock").write_text("precious")
    with pytest.raises(SocketUnusable, match=r"x\.sock: something that is not a socket is in"):
        make(tmp_path / "x.sock", mode=0o600, group="")


@makers
def test_a_missing_directory_is_named(make: Make, tmp_path: Path) -> None:
    """The sentence says what is missing, not ENOENT."""
    with pytest.raises(SocketUnusable, match=f"the directory {tmp_path}/no does not exist"):
        make(tmp_path / "no" / "x.sock", mode=0o600, group="")


@makers
def test_a_path_that_is_too_long_is_refused(make: Make, tmp_path: Path) -> None:
    """The kernel's limit is told with the length that the path has."""
    with pytest.raises(SocketUnusable, match="at most 107 bytes, this one has"):
        make(tmp_path / ("x" * 107), mode=0o600, group="")


@makers
def test_an_unknown_group_is_named(make: Make, tmp_path: Path) -> None:
    """A typing error in `group` is told before anything is made."""
    with pytest.raises(SocketUnusable, match="there is no group 'no-such-group'"):
        make(tmp_path / "x.sock", mode=0o600, group="no-such-group")
