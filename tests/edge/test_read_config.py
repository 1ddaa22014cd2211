"""Configuration files and credentials are read from real folders, or say why they cannot be."""

import os
from pathlib import Path

import pytest

from callpost.edge.read_config import (
    TextFile,
    UnreadableFile,
    file_fault,
    read_texts,
    secret_from,
)
from callpost.model.credential import UnreadableCredential


def test_the_main_file_comes_first_then_the_drop_ins_by_name(tmp_path: Path) -> None:
    """Hidden files and other suffixes are no configuration."""
    main = tmp_path / "callpost.toml"
    main.write_text("main")
    folder = tmp_path / "conf.d"
    folder.mkdir()
    for name in ("b.toml", "a.toml", ".c.toml", "d.toml~", "e.txt"):
        (folder / name).write_text(name)
    assert read_texts(main) == [
        TextFile(str(main), b"main"),
        TextFile(str(folder / "a.toml"), b"a.toml"),
        TextFile(str(folder / "b.toml"), b"b.toml"),
    ]


def test_a_folder_of_drop_ins_is_not_required(tmp_path: Path) -> None:
    """One file is enough."""
    main = tmp_path / "callpost.toml"
    main.write_text("")
    assert read_texts(main) == [TextFile(str(main), b"")]


def test_a_missing_file_is_a_value_with_a_sentence(tmp_path: Path) -> None:
    """Nothing is raised for what the disk does."""
    main = tmp_path / "callpost.toml"
    assert read_texts(main) == [
        UnreadableFile(str(main), "cannot be read: no such file or directory")
    ]


def test_a_directory_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    """An easy slip on the command line."""
    assert read_texts(tmp_path) == [UnreadableFile(str(tmp_path), "is a directory, not a file")]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Opening one would wait for its writer."""
    pipe = tmp_path / "callpost.toml"
    os.mkfifo(pipe)
    assert read_texts(pipe) == [UnreadableFile(str(pipe), "is not a regular file")]


def test_a_file_in_place_of_the_folder_of_drop_ins_is_told(tmp_path: Path) -> None:
    """What was meant to be read must not be passed over."""
    main = tmp_path / "callpost.toml"
    main.write_text("")
    (tmp_path / "conf.d").write_text("")
    assert read_texts(main)[1:] == [
        UnreadableFile(str(tmp_path / "conf.d"), "cannot be read: not a directory")
    ]


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """A drop-in that is linked and gone is a fault, not an absence."""
    main = tmp_path / "callpost.toml"
    main.write_text("")
    (tmp_path / "conf.d").mkdir()
    link = tmp_path / "conf.d" / "a.toml"
    link.symlink_to("nowhere")
    assert read_texts(main)[1:] == [
        UnreadableFile(str(link), "cannot be read: no such file or directory")
    ]


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"s3cret\n\n", "s3cret\n"),
        (b"s3cret\r", "s3cret\r"),
        (b" s3cret ", " s3cret "),
        (b"", ""),
    ],
)
def test_one_newline_at_the_end_of_a_credential_is_dropped(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    """Editors write one; anything else belongs to the secret."""
    (tmp_path / "key").write_bytes(content)
    assert secret_from({})(str(tmp_path), "key") == secret


def test_the_configured_directory_comes_before_that_of_the_service(tmp_path: Path) -> None:
    """The operator's word is nearer."""
    for folder in ("own", "service"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "key").write_text(folder)
    find = secret_from({"CREDENTIALS_DIRECTORY": str(tmp_path / "service")})
    assert find(str(tmp_path / "own"), "key") == "own"


def test_the_directory_of_the_service_is_searched_next(tmp_path: Path) -> None:
    """Systemd puts LoadCredential= there."""
    (tmp_path / "key").write_text("service")
    find = secret_from({"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert find(str(tmp_path / "missing"), "key") == "service"


def test_a_credential_that_is_nowhere_is_none(tmp_path: Path) -> None:
    """The configuration says where it was looked for."""
    assert secret_from({})(str(tmp_path), "key") is None


def test_a_credential_over_64_kib_is_refused(tmp_path: Path) -> None:
    """No secret is as long."""
    (tmp_path / "key").write_bytes(b"x" * (64 * 1024 + 1))
    assert secret_from({})(str(tmp_path), "key") == UnreadableCredential("is larger than 64 KiB")


def test_a_credential_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """It could not stand in a header."""
    (tmp_path / "key").write_bytes(b"\xff")
    assert secret_from({})(str(tmp_path), "key") == UnreadableCredential("is not UTF-8")


def test_a_directory_in_place_of_a_credential_is_told(tmp_path: Path) -> None:
    """It is there, so the next place is not searched."""
    (tmp_path / "key").mkdir()
    assert secret_from({})(str(tmp_path), "key") == UnreadableCredential(
        "is a directory, not a file"
    )


def test_a_file_that_can_be_read_has_no_fault(tmp_path: Path) -> None:
    """As a certificate should be."""
    (tmp_path / "ca.pem").write_text("x")
    assert file_fault(str(tmp_path / "ca.pem")) is None
