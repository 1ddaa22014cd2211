"""What commands write for programs can be shown on a terminal too."""

import pytest

from callpost.cli.paper import say_json, say_json_line


def test_json_has_nothing_that_speaks_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Over several lines; letters of any script stay as they are."""
    say_json({"callId": "\u202e\x9b\n\u05d0"})
    assert capsys.readouterr().out == '{\n  "callId": "\\u202e\\u009b\\n\u05d0"\n}\n'


def test_a_line_of_json_has_nothing_that_speaks_to_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Such as `callpost tail --json` writes."""
    say_json_line({"callId": "\u202e\x9b\u05d0"})
    assert capsys.readouterr().out == '{"callId":"\\u202e\\u009b\u05d0"}\n'
