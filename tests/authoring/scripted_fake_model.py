"""A scripted fake of a chat model on loopback: streams what the test says, or fails as it says; understands nothing."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = "cut"  # as a reply: the connection ends in the middle


@contextlib.contextmanager
def scripted_fake_model(*replies: dict[str, Any] | str | int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve the replies one after the other, the last one again and again; gives the base URL and what was asked.

    A reply is an object to stream as JSON, a text to stream as it is, an HTTP status to fail with, or ``CUT``.
    """
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            reply = replies[min(len(asked), len(replies)) - 1]
            if isinstance(reply, int):
                body = json.dumps({"error": {"message": f"scripted refusal {reply}", "code": "scripted"}}).encode()
                self.send_response(reply)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            text = reply if isinstance(reply, str) else json.dumps(reply)
            if reply == CUT:
                text = '{"text": "I was about to'
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for at in range(0, len(text), 7):
                self._send({"content": text[at : at + 7]}, None)
            if reply != CUT:
                self._send({}, "stop")
                self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, delta: dict[str, Any], finish: str | None) -> None:
            choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
            data = {"id": "fake", "object": "chat.completion.chunk", "created": 0, "model": "fake", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_address[1]}/v1", asked
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
