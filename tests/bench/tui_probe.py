"""``python -m tests.bench.tui_probe KIND LAGS [SPEC]``: the app, or a bare one, with a ticker in its event loop.

The ticker sleeps 10 ms and writes how many milliseconds too late it woke, one number a line. KIND ``bare`` is one
input, ``app`` the app with an assistant that is a fake and streams 100 words a second; ``panels`` has plan, verifier
and passages computed all the while, as the app does it, ``panels-in-threads`` in threads of its own process;
``stuck`` has a verifier that loops.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Input

from sdrl.authoring.events import Acted
from sdrl.models.assistant import Reply

TICK_S, EVERY_TICKS = 0.01, 15
COMPUTED = (Acted("plan"), Acted("verify", "so #### 2 => 2"), Acted("retrieve", "the sum of these"))
WORDS, WORD_S = 6000, 0.01
LOOPS = """
import re, sys
from sdrl.authoring import panels, panel_worker
panels._MAKERS = {**panels._MAKERS, "verify": lambda asked: re.match("(a+)+$", "a" * 60 + "b")}
panel_worker.main(int(sys.argv[1]))
"""


class Bare(App[None]):
    """The least that takes keys."""

    def compose(self) -> ComposeResult:
        """One input."""
        yield Input(placeholder="READY")


async def fake_stream(
    where: tuple[str, str, str], messages: Sequence[tuple[str, str]], said: Callable[[str], None]
) -> Reply:
    """A made-up answer, word by word."""
    for at in range(WORDS):
        said("word\n\n" if at % 40 == 39 else "word ")
        await asyncio.sleep(WORD_S)
    return Reply("word " * WORDS, (), "")


async def ticking(lags: Path, each: Callable[[int], None]) -> None:
    """Write every lag; ``each`` is called with the tick's number."""
    with lags.open("w", buffering=1) as file:
        for number in range(1_000_000):
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            file.write(f"{(time.perf_counter() - before - TICK_S) * 1000:.3f}\n")
            each(number)


async def main(kind: str, lags: str, spec: str = "") -> None:
    """Run it."""
    if kind == "bare":
        ticker = asyncio.create_task(ticking(Path(lags), lambda number: None))
        await Bare().run_async()
    else:
        from sdrl_tui.app import SWITCH_S, SdrlApp
        from sdrl_tui.panel_process import InProcess, InThread

        sys.setswitchinterval(SWITCH_S)
        loops = [sys.executable, "-c", LOOPS, str(os.getpid())]
        making = InThread() if kind == "panels-in-threads" else InProcess(words=loops if kind == "stuck" else ())
        app = SdrlApp(Path(spec), fake_stream, making=making)

        def each(number: int) -> None:
            if kind.startswith("panels") and app.state.is_opened and number % EVERY_TICKS == 0:
                app.dispatch(COMPUTED[number // EVERY_TICKS % len(COMPUTED)])

        ticker = asyncio.create_task(ticking(Path(lags), each))
        gc.freeze()  # as the app's own main does, here and at the end
        await app.run_async()
        gc.freeze()
    ticker.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
