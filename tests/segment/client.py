"""Calls segment-analytics-python as told on standard input, and prints what went wrong as JSON.

The input is {"host", "settings", "calls": [[name, arguments], ...]}.
"""

import json
import sys

from segment.analytics.client import Client


def main():
    told = json.load(sys.stdin)
    errors = []
    client = Client("demo", host=told["host"], on_error=lambda error, _: errors.append(str(error)), **told["settings"])
    for name, arguments in told["calls"]:
        done, _ = getattr(client, name)(**arguments)
        if not done:
            errors.append(f"{name} was not queued")
    client.flush()
    client.join()
    print(json.dumps(errors))


if __name__ == "__main__":
    main()
