"""A worker process of ``sdrl verify``: batches in on stdin, verdicts out on stdout, until stdin closes.

Run as a script (``python -P verify_worker.py``) by ``verify_workers``, which describes the frames. It may be killed at
any time: it keeps no state that matters. When stdin closes, because the parent is done or died in whatever way, it ends
at once, in the middle of a batch too.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO


def main() -> None:
    """Serve until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing a plugin prints may enter the protocol
    start = json.loads(sys.stdin.buffer.readline())
    # The parent's folders come last: a script beside the user's own must not shadow a module of the standard library.
    sys.path += [entry for entry in start["path"] if entry not in sys.path]
    from sdrl.cli.verify_rows import Batch, judge
    from sdrl.verifier import Verifier
    from sdrl.verifier.workers import limit_pool

    limit_pool(1)  # every worker has its own; together they are as many as the cores
    verifier = Verifier.from_program(start["program"])
    requests: queue.SimpleQueue[Batch] = queue.SimpleQueue()

    def receive() -> None:
        # Its own thread, for two reasons: the next batch is at hand when this one is done, and the end of the parent
        # is seen while a batch is being judged.
        while (frame := _frame(sys.stdin.buffer)) is not None:
            requests.put(Batch(*frame))
        os._exit(0)

    replies.write(b"{}\n")
    replies.flush()
    threading.Thread(target=receive, daemon=True).start()
    while True:
        judged = judge(verifier, requests.get())
        head = {"bytes": len(judged.output), "counts": judged.counts, "problem": judged.problem}
        replies.write(json.dumps(head).encode() + b"\n" + judged.output)
        replies.flush()


def _frame(stdin: BinaryIO) -> tuple[int, bytes] | None:
    head = stdin.readline()
    if not head.endswith(b"\n"):
        return None
    first_line, size = json.loads(head)
    data = stdin.read(size)
    return (first_line, data) if len(data) == size else None


if __name__ == "__main__":
    main()
