"""Text from outside, made safe to show on a terminal."""

import re
from typing import Final

# C0, DEL and C1 move the cursor and ring bells; bidi controls reorder what is read (Unicode
# TR 36); the line and paragraph separators break lines.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def escaped(text: str) -> str:
    r"""`text` with every control character spelled out, such as `\x1b` or `\u202e`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
