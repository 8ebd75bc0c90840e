"""用法:BASE=http://127.0.0.1:8000 TJ_USER=front TJ_PASSWORD=… python first.py(只用标准库)"""

import json
import os
import urllib.error
import urllib.request


def call(method, path, body=None, token=None, **headers):
    """Return the answer as JSON; a refusal is raised with its code and request id."""
    request = urllib.request.Request(os.environ["BASE"] + path, method=method)
    request.add_header("Accept-Language", "zh")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.load(error)
        raise SystemExit(f"{told['status']} {told['code']}: {told['detail']} ({told['request_id']})") from None


token = call("POST", "/api/v1/auth/token", {"username": os.environ["TJ_USER"], "password": os.environ["TJ_PASSWORD"]})["access_token"]
print(json.dumps(call("GET", "/api/v1/auth/principal", token=token), ensure_ascii=False))
print(json.dumps(call("GET", "/api/v1/exams?page_size=5", token=token), ensure_ascii=False))
