"""When a certificate ends, read from DER and PEM."""

import datetime as dt
import ssl

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from callpost.model.certificate import ends_at, first_ends_at
from examples import examples

AUTHORITY = trustme.CA()
BEGAN = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
ENDS = dt.datetime(2027, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


def _pem(ends: dt.datetime = ENDS) -> bytes:
    leaf = AUTHORITY.issue_cert("crm.example", not_before=BEGAN, not_after=ends)
    return leaf.cert_chain_pems[0].bytes()


def _der(ends: dt.datetime = ENDS) -> bytes:
    return ssl.PEM_cert_to_DER_cert(_pem(ends).decode())


DER = _der()


@settings(max_examples=examples(0.4))
@given(st.datetimes(dt.datetime(2000, 1, 2), dt.datetime(9999, 12, 31)))  # noqa: DTZ001 - made aware below
def test_the_end_is_that_of_the_certificate(moment: dt.datetime) -> None:
    """To the second; from 2050 on the field has another form."""
    ends = moment.replace(microsecond=0, tzinfo=dt.UTC)
    assert ends_at(_der(ends)) == ends.timestamp()


def test_of_a_chain_the_first_counts() -> None:
    """That is how a client certificate's file is read."""
    later = _pem(ENDS + dt.timedelta(days=9))
    assert first_ends_at(b"words before\n" + _pem() + later) == ENDS.timestamp()


@settings(max_examples=examples(4))
@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_a_certificate_with_a_wrong_byte_never_raises(place: int, byte: int) -> None:
    """It has an end, perhaps another one, or none."""
    spoilt = DER[:place] + bytes([byte]) + DER[place + 1 :]
    assert isinstance(ends_at(spoilt), float | None)


@given(st.integers(0, 60))
def test_a_certificate_cut_short_before_its_end_has_none(length: int) -> None:
    """Its outermost length says that there should be more."""
    assert ends_at(DER[:length]) is None


@given(st.binary(max_size=400))
def test_bytes_that_are_no_certificate_have_no_end(data: bytes) -> None:
    """Whatever they are, nothing is raised."""
    assert ends_at(data) is None


@given(st.binary(max_size=400))
def test_a_file_that_is_no_certificate_has_no_end(data: bytes) -> None:
    """Whatever stands between the lines that say that it is one."""
    spoilt = b"-----BEGIN CERTIFICATE-----\n" + data + b"\n-----END CERTIFICATE-----\n"
    assert first_ends_at(spoilt) is None


def _certificate(time: bytes) -> bytes:
    """As little of a certificate as leads to its validity."""

    def element(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    begins = element(0x17, b"200101000000Z")
    validity = element(0x30, begins + time)
    return element(0x30, element(0x30, b"\x02\x01\x01" + b"\x30\x00" * 2 + validity))


@pytest.mark.parametrize(
    ("time", "ends"),
    [
        (b"\x17\x0d491231235959Z", dt.datetime(2049, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (b"\x17\x0d500101000000Z", dt.datetime(1950, 1, 1, tzinfo=dt.UTC)),
        (b"\x18\x0f20500101000000Z", dt.datetime(2050, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_a_year_of_two_digits_is_of_this_century_up_to_49(time: bytes, ends: dt.datetime) -> None:
    """RFC 5280, section 4.1.2.5.1."""
    assert ends_at(_certificate(time)) == ends.timestamp()


@pytest.mark.parametrize(
    "time",
    [
        b"\x17\x0d271301000000Z",  # a month that is none
        b"\x17\x0b2701010000Z",  # no seconds
        b"\x17\x112701010000+0100Z",
        b"\x18\x0d270101000000Z",
        b"\x17\x0d27010100000xZ",
        b"\x04\x0d270101000000Z",
        b"\x17\x84\x00\x00\x00\x0d270101000000Z",  # four bytes of length
        b"",
    ],
)
def test_a_time_that_is_none_is_no_end(time: bytes) -> None:
    """Only the forms of the standard are read."""
    assert ends_at(_certificate(time)) is None
