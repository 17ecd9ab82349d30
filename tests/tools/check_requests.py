"""Checks requests with the types of the providers' own SDKs.

    check_requests.py < bodies.json         Anthropic's Messages
    check_requests.py chat < bodies.json    OpenAI's Chat Completions

Reads a JSON list of request bodies from standard input, prints one line for each mistake, and ends
with 1 if there was any. Lists are checked lazily by the validator, so each is walked to its end.
"""

import json
import sys

from pydantic import TypeAdapter, ValidationError

if sys.argv[1:] == ["chat"]:
    from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming as Body

    ROLES = ("system", "user", "assistant", "tool")
else:
    from anthropic.types.message_create_params import MessageCreateParamsStreaming as Body

    ROLES = ("user", "assistant")


def walk(value):
    """Forces every lazily checked part."""
    if isinstance(value, dict):
        for part in value.values():
            walk(part)
    elif not isinstance(value, (str, bytes)) and hasattr(value, "__iter__"):
        for part in list(value):
            walk(part)


def fields(body):
    """The names that a request may have, those that it inherits as well."""
    return set(body.__required_keys__ | body.__optional_keys__)


def mistakes(adapter, body):
    try:
        walk(adapter.validate_python(body))
    except ValidationError as error:
        for one in error.errors():
            place = ".".join(str(part) for part in one["loc"])
            yield f"{place}: {one['msg']}"
    # What the types let through, but the service does not.
    for unknown in sorted(set(body) - fields(Body)):
        yield f"{unknown}: not a field of a request"
    for at, message in enumerate(body.get("messages", [])):
        if message.get("role") not in ROLES:
            yield f"messages.{at}: role {message.get('role')!r}"


def main():
    adapter = TypeAdapter(Body)
    count = 0
    for number, body in enumerate(json.load(sys.stdin)):
        for mistake in mistakes(adapter, body):
            count += 1
            print(f"request {number}: {mistake}")
    sys.exit(1 if count else 0)


main()
