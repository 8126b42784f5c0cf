"""A stand-in for the API of the Hugging Face Hub: repositories in memory, one branch each."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_ada"


class Hub:
    """What is on it, and what was asked of it.

    Attributes:
        files: By repository and name.
        asked: Method and path of every request.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.url = ""

    def commit_of(self, repo: str) -> str:
        """The commit that its files make."""
        content = b"".join(name.encode() + data for name, data in sorted(self.files[repo].items()))
        return hashlib.sha1(content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    """Answers for a hub."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        self.hub.asked.append(f"{self.command} {path}")
        if self.command == "POST" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._say({"error": "Invalid username or password."}, 401, {"X-Error-Message": "Who are you?"})
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._say({"errors": [], "warnings": []})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/.*)?", path):
            return self._model(found[1], found[2] or "", body)
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._file(found[1], found[3])
        return self._say({"error": f"no {path}"}, 404)

    def _create(self, wanted: dict) -> None:
        name = f"{wanted.get('organization') or 'ada'}/{wanted['name']}"
        if name in self.hub.files:
            return self._say({"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"}, 409)
        self.hub.files[name] = {}
        return self._say({"url": f"{self.hub.url}/{name}", "name": name})

    def _model(self, repo: str, rest: str, body: bytes) -> None:
        if repo not in self.hub.files:
            return self._say({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        revision = re.search(r"/(?:revision|tree|commit|preupload)/([^/]+)", rest)
        if revision and revision[1] not in ("main", self.hub.commit_of(repo)):
            return self._say({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
        if rest.startswith("/preupload/"):
            files = [{**each, "uploadMode": "regular", "shouldIgnore": False} for each in json.loads(body)["files"]]
            return self._say({"files": files})
        if rest.startswith("/commit/"):
            self._commit(repo, body)
            commit = self.hub.commit_of(repo)
            return self._say({"success": True, "commitOid": commit, "commitUrl": f"{self.hub.url}/{repo}/commit/{commit}"})
        if rest.startswith("/tree/"):
            return self._say([self._entry(name, data) for name, data in self.hub.files[repo].items()])
        siblings = [{"rfilename": name} for name in self.hub.files[repo]]
        return self._say({"id": repo, "modelId": repo, "sha": self.hub.commit_of(repo), "siblings": siblings, "private": False})

    def _entry(self, name: str, data: bytes) -> dict:
        return {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}

    def _commit(self, repo: str, body: bytes) -> None:
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                self.hub.files[repo][value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "deletedFile":
                self.hub.files[repo].pop(value["path"], None)

    def _file(self, repo: str, name: str) -> None:
        data = self.hub.files.get(repo, {}).get(name)
        if data is None:
            return self._say({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
        etag = f'"{hashlib.sha1(data).hexdigest()}"'
        return self._send(data, 200, {"ETag": etag, "X-Repo-Commit": self.hub.commit_of(repo), "Accept-Ranges": "bytes"})

    def _say(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextmanager
def running() -> Iterator[Hub]:
    """A Hub on loopback; its address is `url`."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
