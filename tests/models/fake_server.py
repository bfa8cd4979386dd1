"""A fake: a server process with the embedded server's command line, in the standard library alone.

`fake_server.py --ready-file F [--fail] [--never] [--deaf]`: writes the ready file, answers every POST with one choice.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": f"pid {os.getpid()}"},
            "finish_reason": "stop",
        }
        body = json.dumps({"choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready-file", type=Path, required=True)
    for flag in ("--fail", "--never", "--deaf"):
        parser.add_argument(flag, action="store_true")
    args = parser.parse_args()
    if args.fail:
        sys.exit("cannot load the model: api_key=abcdef0123456789 is wrong")
    if args.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    if args.never:
        time.sleep(600)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    part = args.ready_file.with_suffix(".part")
    part.write_text(json.dumps({"port": server.server_port, "pid": os.getpid(), "grandchild": grandchild.pid}))
    part.replace(args.ready_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
