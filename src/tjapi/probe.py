"""`python -m tjapi.probe URL [name=value …]`: ends with 0 when an address answers 200 and its JSON says so; for health checks of containers.

It imports nothing of ours: a check every ten seconds must not cost a second each.
"""

import json
import sys
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

_SECONDS = 4


def ask(url: str, wanted: list[str]) -> str:
    """Return what is wrong with the answer of a URL, empty when nothing is."""
    try:
        # No proxy of the environment: what is asked is beside us.
        with build_opener(ProxyHandler({})).open(url, timeout=_SECONDS) as answer:
            told = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        return f"{url}: {error}"
    wrong = [want for want in wanted if str(told.get(want.partition("=")[0])) != want.partition("=")[2]]
    return f"{url}: {told}" if wrong else ""


if __name__ == "__main__":
    sys.exit(ask(sys.argv[1], sys.argv[2:]) or 0)
