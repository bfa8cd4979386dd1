"""A fake OpenAI-shaped server on loopback: what it replies is a function of path and body, nothing is random."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# (path, body) -> (status, the choices' texts, or the error object of another status than 200)
Reply = Callable[[str, dict[str, Any]], tuple[int, Any]]
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 10  # what every reply says it used, completion tokens a choice


def is_chat(path: str) -> bool:
    """Whether the path is the chat endpoint's."""
    return path.endswith("/chat/completions")


def _envelope(path: str, model: str, texts: list[str]) -> dict[str, Any]:
    choices = [
        {"index": at, "finish_reason": "stop"}
        | ({"message": {"role": "assistant", "content": text}} if is_chat(path) else {"text": text})
        for at, text in enumerate(texts)
    ]
    used = COMPLETION_TOKENS * len(texts)
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": used, "total_tokens": PROMPT_TOKENS + used}
    return {"id": "fake", "object": "fake", "created": 0, "model": model, "choices": choices, "usage": usage}


@contextmanager
def fake_openai(reply: Reply) -> Iterator[str]:
    """Serve for the block's duration; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # whoever asked has gone: a stopped run
                super().handle()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, made = reply(self.path, body)
            data = json.dumps(_envelope(self.path, body["model"], made) if status == 200 else made).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)  # looks so often for its end
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_address[1]}/v1"
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
