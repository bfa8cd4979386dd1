"""A damaged request cache: what is whole is taken over, what was hit is asked again, and nobody gets a wrong reply."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from sdrl.models.cache import Cache, CallRecord
from sdrl.models.cache_file import FILE_NAME
from sdrl.models.filesystem import is_on_network, kind_of
from sdrl.models.request import Draw, Request
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.models.parts import ask

ROWS = 400


def reply_to(request: Request) -> str:
    """A text that tells the request, some of them longer than a page."""
    return f"reply to {request.key} " * (1 if int(request.key[0], 16) else 120)


REQUESTS = [ask(f"question {index}") for index in range(ROWS)]


async def filled(store: Path) -> None:
    cache = Cache(store)
    for request in REQUESTS:
        call = CallRecord("run", "vote", "instructor", request.key, 0, 1, 1, "ok", microusd=7)
        await cache.settle(call, [Draw(request.key, 0, reply_to(request), "stop", "ok", "", 5, 5, False)], request)
    cache.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("whole")
    asyncio.run(filled(store))
    return store


def flip(path: Path, at: int, n: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(n)
        file.seek(at)
        file.write(bytes(byte ^ 0x5A for byte in old))


def read_all(store: Path) -> tuple[int, Cache]:
    """How many replies are there after at most one start that ends with E834; every one of them is right."""
    for _ in range(2):
        cache = Cache(store)
        try:
            found = {request.key: cache.lookup(request.key, [0]) for request in REQUESTS}
        except SdrlError as error:
            assert (error.code, error.exit) == ("E834", Exit.STOPPED)
            cache.close()
            continue
        for request in REQUESTS:
            assert all(hit.draw.text == reply_to(request) for hit in found[request.key].values())
        return sum(map(bool, found.values())), cache
    raise AssertionError("damaged still, after it was mended")


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_page_costs_its_own_rows_and_no_other(whole: Path, tmp_path: Path, seed: int) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    path, chance = store / FILE_NAME, random.Random(seed)
    page = chance.randrange(path.stat().st_size // 4096)
    flip(path, page * 4096 + chance.randrange(4000), 64)
    n_left, cache = read_all(store)
    assert n_left >= ROWS - 20
    cache.close()


def test_a_text_that_is_no_text_any_more_is_damage(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    path = store / FILE_NAME
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(b"reply to "))
        file.write(b"\xff")  # SQLite hands it on, and it is no UTF-8
    count, cache = read_all(store)
    assert count == ROWS - 1 and cache.mended is not None
    cache.close()


def test_a_destroyed_header_and_root_cost_no_reply(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    flip(store / FILE_NAME, 0, 100)
    n_left, cache = read_all(store)
    assert n_left == ROWS
    assert cache.mended is not None and cache.mended.draws == cache.mended.calls == ROWS
    assert cache.mended.kept_as.stat().st_size == (whole / FILE_NAME).stat().st_size
    assert cache.query("SELECT sum(microusd) FROM calls") == [(7 * ROWS,)]
    assert cache.query("PRAGMA integrity_check") == [("ok",)]
    cache.close()


def copy_in_use(store: Path, target: Path) -> None:
    """The store as a kill leaves it: with its write-ahead log."""
    target.mkdir()
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        shutil.copyfile(store / name, target / name)


@pytest.mark.parametrize("at", [0, 20, 40, 10_000, 200_000], ids=lambda at: f"byte-{at}")
def test_a_damaged_log_costs_its_own_rows_and_no_other(tmp_path: Path, at: int) -> None:
    async def fill() -> None:
        cache = Cache(tmp_path / "live")
        for request in REQUESTS[:100]:
            call = CallRecord("run", "vote", "instructor", request.key, 0, 1, 1, "ok")
            await cache.settle(call, [Draw(request.key, 0, reply_to(request), "stop", "ok", "", 5, 5, False)], request)
        copy_in_use(tmp_path / "live", tmp_path / "killed")
        cache.close()

    asyncio.run(fill())
    flip(tmp_path / "killed" / f"{FILE_NAME}-wal", at, 8)
    n_left, cache = read_all(tmp_path / "killed")
    assert cache.mended is not None
    assert n_left >= 99
    cache.close()


def test_a_log_that_is_torn_at_its_end_is_no_damage(tmp_path: Path) -> None:
    async def fill() -> None:
        cache = Cache(tmp_path / "live")
        for request in REQUESTS[:10]:
            call = CallRecord("run", "vote", "instructor", request.key, 0, 1, 1, "ok")
            await cache.settle(call, [Draw(request.key, 0, "text", "stop", "ok", "", 5, 5, False)], request)
        copy_in_use(tmp_path / "live", tmp_path / "killed")
        cache.close()

    asyncio.run(fill())
    log = tmp_path / "killed" / f"{FILE_NAME}-wal"
    os.truncate(log, log.stat().st_size - 2000)
    cache = Cache(tmp_path / "killed")
    assert cache.mended is None
    assert cache.query("SELECT count(*) FROM draws") in ([(9,)], [(10,)])
    cache.close()


def test_a_damaged_store_that_another_run_has_open_is_left_alone(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(whole, store)
    other = Cache(store)
    (store / f"{FILE_NAME}.damaged").touch()
    with pytest.raises(SdrlError, match="another process has it open") as failure:
        Cache(store)
    assert failure.value.exit == Exit.STOPPED
    other.close()
    n_left, cache = read_all(store)
    assert n_left == ROWS
    cache.close()


@pytest.mark.parametrize("step", ["os.replace", "Path.unlink"])
def test_a_kill_while_it_is_mended_is_made_good_by_the_next_start(
    whole: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    for survived in range(4):
        store = tmp_path / f"store-{survived}"
        shutil.copytree(whole, store)
        flip(store / FILE_NAME, 0, 100)
        with monkeypatch.context() as patch:
            target, name = (os, "replace") if step == "os.replace" else (Path, "unlink")
            real, left = getattr(target, name), [survived]

            def counted(*args: object, left: list[int] = left, real: object = real, **more: object) -> None:
                left[0] -= 1
                (die if left[0] < 0 else real)(*args, **more)  # type: ignore[operator]

            patch.setattr(target, name, counted)
            try:
                Cache(store).close()
            except Killed:
                pass
        n_left, cache = read_all(store)
        assert n_left == ROWS
        cache.close()


async def test_a_store_of_the_version_before_is_read_and_goes_on(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    call = CallRecord("run", "vote", "instructor", ask().key, 0, 1, 1, "ok")
    await cache.settle(call, [Draw(ask().key, 0, "old", "stop", "ok", "", 5, 5, False)], ask())
    cache.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("ALTER TABLE draws DROP COLUMN sum")
        db.execute("PRAGMA user_version=1")
    db.close()
    cache = Cache(tmp_path)
    assert cache.lookup(ask().key, [0])[0].draw.text == "old"
    await cache.settle(replace(call, first_draw=1), [Draw(ask().key, 1, "new", "stop", "ok", "", 5, 5, False)], ask())
    assert cache.query("SELECT draw, sum IS NULL FROM draws") == [(0, 1), (1, 0)]
    cache.close()


def test_what_other_machines_may_share_is_known_by_its_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 22 0:40 / /home rw shared:1 - nfs4 server:/home rw\n"
        "31 30 0:41 / /home/my\\040disk rw - xfs /dev/sdb rw\n"
    )
    assert is_on_network(Path("/home/ada/project"), mounts)
    assert kind_of(Path("/home/my disk/project"), mounts) == "xfs"
    assert not is_on_network(Path("/work"), mounts)
    assert kind_of(Path("/work"), tmp_path / "absent") == ""
