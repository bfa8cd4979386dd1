"""Keeps a server alive only as long as its parent: `python -S -E keep_child.py GRACE COMMAND...`. Stands alone,
imports nothing of ours.

Its standard input is a pipe that the parent holds open and never writes to. When that ends (the parent closed it, or
died in whatever way) the server's whole process group is asked to stop and, after GRACE seconds, killed; also the
children of the server, which vLLM starts and would leave behind. On Linux the server gets a death signal too, for the
case that this process is killed. Ends with the server's own exit status.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

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
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: _end(server, grace))
    threading.Thread(target=_follow_parent, args=(server, grace), daemon=True).start()
    status = server.wait()
    _signal(server, signal.SIGKILL)  # whoever is left of the group
    return status if status >= 0 else 128 - status


def _follow_parent(server: subprocess.Popen[bytes], grace: float) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    _end(server, grace)


def _end(server: subprocess.Popen[bytes], grace: float) -> None:
    _signal(server, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while _alive(server) and time.monotonic() < deadline:
        time.sleep(0.02)
    _signal(server, signal.SIGKILL)


def _alive(server: subprocess.Popen[bytes]) -> bool:
    return server.returncode is None and os.path.exists(f"/proc/{server.pid}") if sys.platform == "linux" else True


def _signal(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, number)


if __name__ == "__main__":
    sys.exit(main())
