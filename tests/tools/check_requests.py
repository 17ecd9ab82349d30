"""Checks requests with the types of Anthropic's own SDK.

Reads a JSON list of request bodies from standard input, prints one line for each mistake, and ends
with 1 if there was any. Lists are checked lazily by the validator, so each is walked to its end.
"""

import json
import sys

from anthropic.types.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError


def walk(value):
    """Forces every lazily checked part."""
    if isinstance(value, dict):
        for part in value.values():
            walk(part)
    elif not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for part in list(value):
            walk(part)


def mistakes(adapter, body):
    try:
        walk(adapter.validate_python(body))
    except ValidationError as error:
        for one in error.errors():
            place = ".".join(str(part) for part in one["loc"])
            yield f"{place}: {one['msg']}"
    # What the types let through, but the service does not.
    for unknown in sorted(set(body) - set(MessageCreateParamsStreaming.__annotations__)):
        yield f"{unknown}: not a field of a request"
    for at, message in enumerate(body.get("messages", [])):
        if message.get("role") not in ("user", "assistant"):
            yield f"messages.{at}: role {message.get('role')!r}"


def main():
    adapter = TypeAdapter(MessageCreateParamsStreaming)
    count = 0
    for number, body in enumerate(json.load(sys.stdin)):
        for mistake in mistakes(adapter, body):
            count += 1
            print(f"request {number}: {mistake}")
    sys.exit(1 if count else 0)


main()
