"""Lengths of time in words like `1h30m`."""

import re


def seconds(text):
    """The length in seconds. Raises ValueError for anything else."""
    match = re.match(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if not match:
        raise ValueError(f"not a length of time: {text!r}")
    hours, minutes, rest = (int(it or 0) for it in match.groups())
    return hours * 3600 + minutes * 60 + rest
