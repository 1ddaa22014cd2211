"""JSON Merge Patch (RFC 7396): what a partial document makes of a whole one."""

from collections.abc import Mapping


def merged(whole: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """The whole with the patch applied: null takes a key out, tables are merged, lists replaced."""
    result = dict(whole)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result
