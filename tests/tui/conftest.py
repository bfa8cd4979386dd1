"""No test of the app reads or writes what a person's own one remembers; and none waits longer than it has to.

Textual's own pause guesses from processor time whether the app has come to rest, a fiftieth of a second at a time, and
guesses wrongly where other programs take the processor. Here it is at rest when its event loop has nothing to run.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual.app
import textual.notifications
import textual.pilot

DRAWN_S = 0.01  # the screen is drawn by a timer of 1/120 s


async def until_idle(min_sleep: float = DRAWN_S, max_sleep: float = 1) -> None:
    """Wait until everything that can run has run; nothing that waits for a later time, a thread or a process."""
    await asyncio.sleep(max(min_sleep, DRAWN_S))
    loop = asyncio.get_running_loop()
    end = loop.time() + max_sleep
    while loop._ready and loop.time() < end:  # type: ignore[attr-defined]
        await asyncio.sleep(0)


@pytest.fixture(scope="package", autouse=True)
def nothing_old_is_looked_through() -> Iterator[None]:
    """Apps are made and dropped by the hundred here. What pytest and the libraries hold for good is not looked through
    for each of them, which took a fifth of the time of these tests.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """See above."""
    for module in (textual.app, textual.pilot):
        monkeypatch.setattr(module, "wait_for_idle", until_idle)


@pytest.fixture(autouse=True)
def lasting_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice is still there when a test looks for it, however long the machine stood still before."""
    monkeypatch.setattr(textual.notifications.Notification, "time_left", 3600.0)


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders for settings that are empty at first."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    (folder / "state" / "sdrl").mkdir(parents=True)
    (folder / "state" / "sdrl" / "app.json").write_text('{"has_toured": true}')
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return folder
