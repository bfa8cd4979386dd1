"""The request cache on disk: two processes, a full disk, a damaged file."""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from sdrl.models.cache import FILE_NAME, Cache, CallRecord
from sdrl.models.redact import redact
from sdrl.models.request import Draw
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.models.parts import ask


def call(first: int = 0, n: int = 1) -> CallRecord:
    return CallRecord("run", "vote", "instructor", ask().key, first, n, 1, "ok")


def draw(index: int, text: str) -> Draw:
    return Draw(ask().key, index, text, "stop", "ok", "", 5, 5, False)


async def test_the_first_reply_of_a_draw_wins_and_both_hand_on_that_one(tmp_path: Path) -> None:
    one, two = Cache(tmp_path), Cache(tmp_path)
    await one.settle(call(), [draw(0, "first")], ask())
    stored = await two.settle(call(), [draw(0, "second"), draw(1, "new")], ask())
    assert [item.text for item in stored] == ["first", "new"]
    assert one.lookup(ask().key, [0])[0].draw.text == "first"
    one.close()
    two.close()


async def test_a_failed_draw_is_kept_but_is_no_hit_and_gives_way_to_a_reply(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    lost = Draw(ask().key, 0, "", "", "failed", "no usable reply", 0, 0, False)
    await cache.fail([lost], ask())
    assert cache.lookup(ask().key, [0]) == {}
    await cache.settle(call(), [draw(0, "at last")], ask())
    assert cache.lookup(ask().key, [0])[0].draw.text == "at last"
    cache.close()


async def test_text_that_no_encoding_holds_is_stored_without_breaking(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    stored = await cache.settle(call(), [draw(0, "a\ud800b\x00c")], ask())
    assert stored[0].text == cache.lookup(ask().key, [0])[0].draw.text == "a?b\x00c"
    cache.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from sdrl.models.cache import Cache
from tests.models.test_cache import call, draw
from tests.models.parts import ask

async def main():
    cache = Cache(Path(sys.argv[1]))
    await asyncio.gather(*(cache.settle(call(i), [draw(i, sys.argv[2])], ask()) for i in range(300)))
    cache.close()

asyncio.run(main())
"""


async def test_two_processes_write_one_cache_at_once(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = (sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path))
    writers = [await asyncio.create_subprocess_exec(*command, name, cwd=root) for name in ("a", "b")]
    assert [await writer.wait() for writer in writers] == [0, 0]
    cache = Cache(tmp_path)
    assert len(cache.lookup(ask().key, range(300))) == 300
    assert cache.query("SELECT count(*) FROM calls") == [(600,)]
    cache.close()


def test_a_cache_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # SQLite answers a change of the journal mode with "locked" now, without waiting
    release = threading.Timer(0.3, other.execute, ("COMMIT",))
    release.start()
    cache = Cache(tmp_path)
    assert cache.query("PRAGMA journal_mode") == [("wal",)]
    cache.close()
    release.join()
    other.close()


FILLER = """
import asyncio, resource, signal, sys
from pathlib import Path
from sdrl.models.cache import Cache
from sdrl.spec.diagnostics import SdrlError
from tests.models.test_cache import call, draw
from tests.models.parts import ask

async def main():
    cache = Cache(Path(sys.argv[1]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))  # writes beyond 1 MiB fail as on a full disk
    for i in range(10_000):
        try:
            await cache.settle(call(i), [draw(i, "x" * 10_000)], ask())
        except SdrlError as error:
            print(error.code, int(error.exit), i)
            return

asyncio.run(main())
"""


def test_a_full_disk_is_one_clear_error_and_what_was_committed_stays(tmp_path: Path) -> None:
    assert hasattr(resource, "RLIMIT_FSIZE") and hasattr(signal, "SIGXFSZ")
    command = [sys.executable, "-c", textwrap.dedent(FILLER), str(tmp_path)]
    said = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    code, exit_, kept = said.split()
    assert (code, int(exit_)) == ("E832", Exit.STOPPED)
    cache = Cache(tmp_path)
    assert sorted(cache.lookup(ask().key, range(10_000))) == list(range(int(kept)))
    cache.close()


def test_a_damaged_cache_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 1000)
    with pytest.raises(SdrlError) as failure:
        Cache(tmp_path)
    assert failure.value.code == "E834"
    assert "move it away" in (failure.value.help or "")


def test_the_cache_is_private_to_its_owner(tmp_path: Path) -> None:
    Cache(tmp_path / "store").close()
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0
    assert (tmp_path / "store" / FILE_NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ('{"api_key": "abcdef123456"}', "abcdef123456"),
        ("Incorrect API key provided: sk-proj-abc********xyz.", "sk-proj-abc"),
        ("token=hf_abcdefghijk failed", "hf_abcdefghijk"),
        ("my own secret appears", "my own secret"),
    ],
)
def test_secrets_are_taken_out_of_texts(text: str, secret: str) -> None:
    cleaned = redact(text, ["my own secret"])
    assert secret not in cleaned and "***" in cleaned
