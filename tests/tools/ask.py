"""Asks a server with Anthropic's own SDK and prints the reply's content, reason and counts as JSON.

    ask.py URL < request.json
"""

import json
import sys

import anthropic


def main():
    client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0)
    request = json.load(sys.stdin)
    del request["stream"]
    with client.messages.stream(**request) as stream:
        message = stream.get_final_message()
    # Only what came: the SDK's own additions are left out.
    content = [block.model_dump(mode="json", exclude_unset=True) for block in message.content]
    usage = message.usage.model_dump(mode="json", exclude_unset=True)
    print(json.dumps({"content": content, "stop_reason": message.stop_reason, "usage": usage}))


main()
