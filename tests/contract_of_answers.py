"""What every Spool must know of calls that were answered."""

from spool_nouns import OpenSpool, arrival

_ANSWER = b'{"event":"answer","callId":"call-1"}'
_HANGUP = b'{"event":"hangup","callId":"call-1","answered":true}'


class AnswerContract:
    """The behaviour that `answered` in hangups relies on."""

    async def test_an_answer_is_known(self, open_spool: OpenSpool) -> None:
        """Once it is on disk."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, body=_ANSWER)])
            assert spool.was_answered(customer="", source="", call_id="call-1")

    async def test_other_events_are_no_answer(self, open_spool: OpenSpool) -> None:
        """Not even a hangup that speaks of one."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, body=_HANGUP)])
            assert not spool.was_answered(customer="", source="", call_id="call-1")

    async def test_the_answer_of_another_customer_is_none(self, open_spool: OpenSpool) -> None:
        """Two customers may use one call id."""
        async with open_spool() as spool:
            await spool.append([arrival("a", 1, customer="acme", body=_ANSWER)])
            assert not spool.was_answered(customer="other", source="", call_id="call-1")
