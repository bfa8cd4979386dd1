"""Keeps a server alive only as long as its parent: `python -S -E keep_child.py GRACE COMMAND...`.

Imports nothing of ours. Its standard input is a pipe that the parent holds open and never writes to. When that ends
(the parent closed it, or died in whatever way) the server's whole process group is asked to stop and, after GRACE
seconds, killed; also the children of the server, which vLLM starts and would leave behind. On Linux the server gets a
death signal too, for the case that this process is killed. Ends with the server's own exit status.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command until it ends or standard input does."""
    grace, command = float(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def ask_for_death_signal() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    server = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=ask_for_death_signal,
    )
    keeper = _Keeper(server, grace)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: keeper.end_soon())
    threading.Thread(target=keeper.follow_parent, daemon=True).start()
    status = server.wait()
    keeper.ended.set()
    keeper.signal_group(signal.SIGKILL)  # whoever is left of the group
    return status if status >= 0 else 128 - status


class _Keeper:
    """Ends the server's process group: politely, then not."""

    def __init__(self, server: subprocess.Popen[bytes], grace: float) -> None:
        self.ended = threading.Event()
        self._server = server
        self._grace = grace

    def follow_parent(self) -> None:
        """Wait for the parent's end of the pipe to close."""
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        self._end()

    def end_soon(self) -> None:
        """End it from a signal handler: the main thread must go on waiting for the server."""
        threading.Thread(target=self._end, daemon=True).start()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to everyone in the server's group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._server.pid, number)

    def _end(self) -> None:
        self.signal_group(signal.SIGTERM)
        if not self.ended.wait(self._grace):
            self.signal_group(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
