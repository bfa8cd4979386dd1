"""Managed servers: they start, say why when they do not, and never outlive their parent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sdrl.models.processes import end_group
from sdrl.models.servers import Server, ServerPlan, end_left_over, log_tail, start_time
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.waiting import comes_true

FAKE = str(Path(__file__).with_name("fake_server.py"))


def plan(*flags: str, deadline_s: float = 180) -> ServerPlan:
    command: Sequence[str] = (sys.executable, "-S", FAKE, "--ready-file", "{ready}", *flags)
    return ServerPlan("base", command, "file", deadline_s)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: Sequence[int]) -> bool:
    return comes_true(lambda: not any(map(alive, pids)))


def pids_of(logs: Path) -> list[int]:
    ready = json.loads((logs / "base.ready.json").read_text())
    return [ready["pid"], ready["grandchild"]]


async def test_a_server_starts_serves_and_stops_with_all_it_started(tmp_path: Path) -> None:
    server = Server(plan(), tmp_path)
    await server.start()
    pids = [server.pid, *pids_of(tmp_path)]
    assert all(map(alive, pids))
    assert json.loads((tmp_path / "base.server.json").read_text())["start_time"] == start_time(server.pid)
    server.check()
    await server.stop()
    assert gone(pids)
    assert not (tmp_path / "base.server.json").exists()


async def test_a_server_that_does_not_start_says_why_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(SdrlError, match="cannot load the model") as failure:
        await Server(plan("--fail"), tmp_path).start()
    assert (failure.value.code, failure.value.exit) == ("E841", Exit.PROBLEMS)
    assert "abcdef0123456789" not in failure.value.message


async def test_a_server_that_never_gets_ready_is_ended_at_its_deadline(tmp_path: Path) -> None:
    server = Server(plan("--never", deadline_s=0.3), tmp_path)
    with pytest.raises(SdrlError, match="did not serve within"):
        await server.start()
    assert server.pid == 0
    assert not (tmp_path / "base.server.json").exists()


async def test_a_server_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    server = Server(plan(), tmp_path)
    await server.start()
    pids = pids_of(tmp_path)
    os.kill(pids[0], signal.SIGKILL)
    assert gone(pids)  # its keeper ends what it had started
    with pytest.raises(SdrlError, match="ended by itself") as failure:
        async with asyncio.timeout(60):
            while True:
                server.check()
                await asyncio.sleep(0)
    assert (failure.value.code, failure.value.exit) == ("E842", Exit.STOPPED)
    await server.stop()


PARENT = """
import asyncio, sys
from pathlib import Path
from sdrl.models.servers import Server
from tests.models.test_servers import plan

async def main():
    server = Server(plan(*sys.argv[2:]), Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def start_parent(logs: Path, *flags: str) -> tuple[asyncio.subprocess.Process, list[int]]:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(logs), *flags), cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    return parent, [int(await parent.stdout.readline()), *pids_of(logs)]


@pytest.mark.parametrize("flags", [(), ("--deaf",)])
async def test_a_server_and_its_children_die_with_a_killed_parent(tmp_path: Path, flags: Sequence[str]) -> None:
    parent, pids = await start_parent(tmp_path, *flags)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    assert gone(pids)


async def test_a_server_dies_when_its_keeper_is_killed(tmp_path: Path) -> None:
    parent, pids = await start_parent(tmp_path)
    os.kill(pids[0], signal.SIGKILL)
    assert gone(pids[:2])
    parent.kill()
    await parent.wait()
    os.kill(pids[2], signal.SIGKILL)  # what the fake started itself; nobody is left to end it


async def killed_keeper_and_server(folder: Path) -> tuple[Server, list[int]]:
    """A server whose keeper and own process are killed at once: what it started itself is left."""
    server = Server(plan(), folder)
    await server.start()
    pids = pids_of(folder)
    os.kill(server.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # its death signal may have come first
        os.kill(pids[0], signal.SIGKILL)
    assert gone([server.pid, pids[0]])
    assert alive(pids[1])
    return server, pids


async def test_what_a_killed_server_had_started_is_ended_even_without_its_keeper(tmp_path: Path) -> None:
    server, pids = await killed_keeper_and_server(tmp_path)
    with pytest.raises(SdrlError, match="ended by itself"):
        server.check()
    await server.stop()
    assert gone(pids)


async def test_and_by_the_next_session_when_nobody_stopped_it(tmp_path: Path) -> None:
    server, pids = await killed_keeper_and_server(tmp_path)
    record = tmp_path / "base.server.json"
    end_left_over(record)
    assert gone(pids)
    await server.stop()


def test_a_group_whose_leader_is_another_process_is_left_alone() -> None:
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
    assert end_group(sleeper.pid, "1") == []
    assert sleeper.poll() is None
    assert end_group(sleeper.pid, str(start_time(sleeper.pid))) == [sleeper.pid]
    assert sleeper.wait(600) == -signal.SIGKILL


def test_what_an_earlier_session_left_is_ended_only_if_it_is_that_very_process(tmp_path: Path) -> None:
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    record = tmp_path / "base.server.json"
    record.write_text(json.dumps({"pid": sleeper.pid, "start_time": "1"}))
    end_left_over(record)
    assert sleeper.poll() is None
    record.write_text(json.dumps({"pid": sleeper.pid, "start_time": start_time(sleeper.pid)}))
    end_left_over(record)
    assert sleeper.wait(600) == -signal.SIGTERM
    assert not record.exists()


def test_a_missing_log_is_no_second_error(tmp_path: Path) -> None:
    assert log_tail(tmp_path / "none.log") == ["(no log)"]
