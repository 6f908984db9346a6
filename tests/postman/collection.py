"""Writes docs/api/clickstream.postman_collection.json: the requests of asked.py with saved answers of examples.json.

    python3 tests/postman/collection.py            writes it
    python3 tests/postman/collection.py --check    changes nothing; status 1 if it is not current
    python3 tests/postman/collection.py --examples REPORT    takes answers out of newman's JSON report first
"""

import base64
import json
import sys
from pathlib import Path

import asked as source

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "docs/api/clickstream.postman_collection.json"
EXAMPLES = HERE / "examples.json"
EXPECTED = ROOT / "docs/report/data/expected.json"
# Of a saved answer: what a reader wants to see, and no more text than fits a screen.
HEADERS = ("content-type", "retry-after", "x-clickstream-problem", "x-amz-function-error")
LONGEST = 1500


def script(listen: str, text: str) -> dict:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": text.strip("\n").split("\n")}}


def url(path: str) -> dict:
    bare, _, query = path.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")] if query else []
    parts = {"raw": "{{url}}" + path, "host": ["{{url}}"], "path": bare.strip("/").split("/")}
    if pairs:
        parts["query"] = [{"key": key, "value": value} for key, _, value in pairs]
    return parts


def body(request: source.Request) -> dict:
    if request.file:
        return {"body": {"mode": "file", "file": {"src": request.file}}}
    if request.body is None:
        return {}
    text = request.body if isinstance(request.body, str) else json.dumps(request.body, ensure_ascii=False, indent=2)
    return {"body": {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}}


def auth(kind: str) -> dict:
    if kind == "key":
        pairs = [{"key": "username", "value": "{{writeKey}}", "type": "string"}, {"key": "password", "value": "", "type": "string"}]
        return {"auth": {"type": "basic", "basic": pairs}}
    if kind == "token":
        return {"auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{adminToken}}", "type": "string"}]}}
    return {"auth": {"type": "noauth"}}


def item(request: source.Request, examples: dict) -> dict:
    headers = [{"key": key, "value": value} for key, value in request.headers.items()]
    if isinstance(request.body, (dict, list)):
        headers.insert(0, {"key": "Content-Type", "value": "application/json"})
    sent = {"method": request.method, "header": headers, "url": url(request.path), **body(request), **auth(request.auth)}
    events = [script("prerequest", request.before)] if request.before else []
    events.append(script("test", request.test))
    made = {"name": request.name, "event": events, "request": {**sent, "description": request.about}, "response": []}
    if request.name in examples:
        # A long body is told by its description; the example says what came back.
        made["response"] = [{"name": request.name, "originalRequest": sent, **examples[request.name]}]
    return made


def collection(examples: dict) -> dict:
    expected = json.dumps(json.loads(EXPECTED.read_text()), ensure_ascii=False, separators=(",", ":"))
    variables = {"url": "http://127.0.0.1:8080", "writeKey": "demo", "adminToken": "", "expected": expected}
    return {
        "info": {
            "name": "Clickstream",
            "description": source.ABOUT,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "event": [script("prerequest", source.COMMON)],
        "item": [
            {"name": name, "description": about, "item": [item(request, examples) for request in requests]}
            for name, about, requests in source.FOLDERS
        ],
    }


def answers(report: Path) -> dict:
    """The last answer to each request."""
    found = {}
    for execution in json.loads(report.read_text())["run"]["executions"]:
        response = execution.get("response")
        if not response:
            continue
        content = bytes(response.get("stream", {}).get("data", []))
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = f"{len(content)} bytes, Base64: {base64.b64encode(content).decode()}"
        if len(text) > LONGEST:
            text = text[:LONGEST] + "…"
        headers = [h for h in response["header"] if h["key"].lower() in HEADERS]
        found[execution["item"]["name"]] = {"status": response["status"], "code": response["code"], "header": headers, "body": text}
    return found


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["--examples"]:
        EXAMPLES.write_text(json.dumps(answers(Path(arguments[1])), ensure_ascii=False, indent=1) + "\n")
    examples = json.loads(EXAMPLES.read_text()) if EXAMPLES.is_file() else {}
    text = json.dumps(collection(examples), ensure_ascii=False, indent=1) + "\n"
    if OUT.is_file() and OUT.read_text() == text:
        return 0
    if "--check" in arguments:
        print(f"{OUT.relative_to(ROOT)} is not what tests/postman makes; `make report-files` makes it", file=sys.stderr)
        return 1
    OUT.write_text(text)
    return 0


sys.exit(main())
