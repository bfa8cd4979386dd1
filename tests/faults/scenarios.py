"""What ``make faults`` does to runs: each scenario asserts, and gives one row of the table.

Real processes, real signals, real full disks (tmpfs where it may be mounted). Never part of the suite.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.driver import PATIENCE_VARIABLE
from tests.faults.everywhere import TINY, everywhere
from tests.faults.points import ORDINARY, Kind, When, sqlite_writes_can_be_met
from tests.faults.project import (
    ROOT,
    Serving,
    Size,
    environment,
    fault_server,
    made,
    sdrl,
    sent_twice,
    start,
    write_project,
)

UNTIL_SCORE = ("run", "small.yaml", "--yes", "--until", "score")
ODD = ("--odd", "0.1")
SMALL = Size(samples=4, attempts=8, draws=4, passages=8)
STOPPED = 5


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    scenario: str
    runs: int
    ends: str
    same: str
    twice: str
    note: str = ""


def ends_of(codes: Sequence[int]) -> str:
    """Exit codes (a signal's name for a killed process) and how often each."""
    named = Counter(signal.Signals(-code).name if code < 0 else f"exit {code}" for code in codes)
    return ", ".join(f"{name} × {count}" if len(codes) > 1 else name for name, count in sorted(named.items()))


class Trial:
    """A folder to work in, and the undisturbed run of each size that a scenario compares with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[Size, dict[str, bytes]] = {}

    def new(self, name: str) -> Path:
        """An empty folder."""
        place = self.folder / f"{name}-{time.monotonic_ns()}"
        place.mkdir()
        return place

    def undisturbed(self, size: Size) -> dict[str, bytes]:
        """Rows of the run that nothing disturbed."""
        if size not in self._known:
            place = self.new("undisturbed")
            with fault_server(place, *ODD) as server:
                write_project(place / "project", server.url, size)
                code, said = sdrl(place / "project", *UNTIL_SCORE)
                assert code == 0, said
                assert not sent_twice(server.calls())
            self._known[size] = made(place / "project/runs/small")
        return self._known[size]

    def is_same(self, run: Path, size: Size) -> bool:
        """Whether a run has the undisturbed one's bytes."""
        return made(run) == self.undisturbed(size)


def mixes(trial: Trial) -> Iterator[Row]:
    """A tenth and half of all tries fail, in every way."""
    size = Size()
    trial.undisturbed(size)
    for share in ("0.1", "0.5"):
        codes, same, calls = [], 0, []
        for seed in range(5):
            place = trial.new("mix")
            with fault_server(place, *ODD, "--share", share, "--seed", str(seed)) as server:
                write_project(place / "project", server.url, size)
                code, said = sdrl(place / "project", *UNTIL_SCORE)
                assert code == 0, said
                codes.append(code)
                same += trial.is_same(place / "project/runs/small", size)
                calls += server.calls()
                assert not sent_twice(server.calls())
        failed = Counter(call["fault"] for call in calls if call["fault"])
        assert same == 5 and len(failed) == 14
        note = f"{len(calls)} calls, {sum(failed.values())} failed in {len(failed)} ways; no row lost"
        yield Row(f"faults at {float(share):.0%}", 5, ends_of(codes), "5 of 5", "0", note)


def time_outs(trial: Trial) -> Iterator[Row]:
    """Replies that never come."""
    place = trial.new("hang")
    with fault_server(place, *ODD, "--hangs", "--share", "0.2") as server:
        write_project(place / "project", server.url, SMALL)
        code, said = sdrl(place / "project", *UNTIL_SCORE, more={"FAULT_TESTS_TIMEOUT_S": "0.5"})
        assert code == 0, said
        hung = sum(call["fault"] == "hang" for call in server.calls())
        assert hung and trial.is_same(place / "project/runs/small", SMALL)
        yield Row("replies that never come, 20 %", 1, ends_of([code]), "1 of 1", "0", f"{hung} time-outs of 0.5 s")


def every_end(trial: Trial) -> Iterator[Row]:
    """Every fsync, rename and commit, and every single write of SQLite."""
    writes: tuple[Kind, ...] = ("write",)
    cases: list[tuple[str, When, tuple[Kind, ...], int]] = [
        ("SIGKILL before every fsync, rename, commit", "before", ORDINARY, -9),
        ("SIGKILL after every fsync, rename, commit", "after", ORDINARY, -9),
        ("disk full from every fsync, rename, commit on", "full", ORDINARY, STOPPED),
    ]
    if sqlite_writes_can_be_met():
        cases += [
            ("SIGKILL before every write of SQLite", "before", writes, -9),
            ("SIGKILL in every write of SQLite, half of it done", "after", writes, -9),
            ("disk full from every write of SQLite on", "full", writes, STOPPED),
        ]
    place = trial.new("everywhere")
    with fault_server(place, *ODD) as server, everywhere(place, server, until="adapt") as every:
        for name, when, kinds, code in cases:
            outcomes = every.enumerate(when, kinds)
            allowed = {code, 0} if code == STOPPED else {code}  # the last writes tidy up after all is done
            wrong = [each for each in outcomes if each.ended not in allowed or each.finished or not each.same]
            assert not wrong, wrong[:5]
            most = max(each.twice for each in outcomes)
            assert most <= 2 * TINY.concurrency
            twice = f"{sum(each.twice for each in outcomes)}, at most {most} a kill"
            n = len(outcomes)
            yield Row(name, n, ends_of([each.ended for each in outcomes]), f"{n} of {n}", twice)


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def real_kills(trial: Trial, kills: int = 200, a_run: int = 5) -> Iterator[Row]:
    """Random moments of runs against an endpoint that fails a tenth of all tries, each run killed some times."""
    size = Size()
    trial.undisturbed(size)
    with ThreadPoolExecutor(2) as pool:
        stories = list(pool.map(lambda seed: _killed_run(trial, size, seed, a_run), range(kills // a_run)))
    for number in SIGNALS:
        deaths = [death for story in stories for death in story if death.number == number]
        most = max(death.twice for death in deaths)
        assert most <= 2 * size.concurrency
        allowed = {-9} if number == signal.SIGKILL else {STOPPED, -number, 130}
        early = sum(death.code != STOPPED for death in deaths) if number != signal.SIGKILL else 0
        assert {death.code for death in deaths} <= allowed, deaths
        note = f"{early} before Python ran sdrl" if early else ""
        twice = f"{sum(death.twice for death in deaths)}, at most {most} a kill"
        codes = [death.code for death in deaths]
        yield Row(f"{number.name} at random moments", len(deaths), ends_of(codes), "all", twice, note)


@dataclass(frozen=True)
class Death:
    """One kill: the signal, how the process ended, and how many of its calls were paid for again."""

    number: signal.Signals
    code: int
    twice: int


def _killed_run(trial: Trial, size: Size, seed: int, kills: int) -> list[Death]:
    chance, place = random.Random(seed), trial.new("kills")
    killed: list[tuple[signal.Signals, int, str]] = []
    with fault_server(place, *ODD, "--share", "0.1", "--latency-ms", "60", "--seed", str(seed)) as server:
        write_project(place / "project", server.url, size)
        while len(killed) < kills:
            number = SIGNALS[(seed + len(killed)) % len(SIGNALS)]
            code, who = _kill_at_random(place / "project", number, chance)
            if code == 0:  # it was done before: begin anew, the store keeps its replies
                shutil.rmtree(place / "project/runs")
                shutil.rmtree(place / "project/.sdrl")
                server.log.write_text("")
                continue
            killed.append((number, code, who))
        code, said = sdrl(place / "project", *UNTIL_SCORE)
        assert code == 0, said
        assert trial.is_same(place / "project/runs/small", size)
        twice = sent_twice(server.calls())
    return [Death(number, code, twice.get(who, 0)) for number, code, who in killed]


def _kill_at_random(project: Path, number: signal.Signals, chance: random.Random) -> tuple[int, str]:
    """Start, wait for the first event of this start (or not even that), then for some more, and send the signal."""
    with start(project, *UNTIL_SCORE) as process:
        if chance.random() < 0.9:
            _until_it_runs(project / "runs/small/events.jsonl", process)
        time.sleep(chance.uniform(0, 0.9))
        process.send_signal(number)
        _, said = process.communicate(timeout=600)
    assert "Traceback" not in said or process.returncode < 0 or "KeyboardInterrupt" in said, said
    return process.returncode, f"pid-{process.pid}"


def _until_it_runs(events: Path, process: subprocess.Popen[str]) -> None:
    wanted = f'"pid": {process.pid}'
    while process.poll() is None and not (events.exists() and wanted in events.read_text(errors="replace")):
        time.sleep(0.01)


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[bool]:
    """A tmpfs of ``size`` at ``place``; gives whether it could be mounted."""
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], capture_output=True)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(place)], check=True)


def full_disks(trial: Trial) -> Iterator[Row]:
    """A disk that fills, below the store and below the run; then it gets room and the same command goes on."""
    for where, name in ((".sdrl", "store"), ("runs", "run folder")):
        codes, same, twice, how = [], 0, 0, ""
        sizes = [16, 32, 64, 96, 128, 192, 256, 320, 384, 512, 640, 768]
        for kilobytes in sizes:
            place = trial.new("disk")
            disk = small_disk(place / "project" / where, f"{kilobytes}k")
            with fault_server(place, *ODD) as server, disk as is_mounted:
                write_project(place / "project", server.url, SMALL)
                limit = None if is_mounted else (lambda most=kilobytes * 1024: _small_files(most))
                code, said = sdrl(place / "project", *UNTIL_SCORE, preexec_fn=limit)
                codes.append(code)
                how = "tmpfs" if is_mounted else "RLIMIT_FSIZE"
                assert code in (0, STOPPED), said
                assert code == 0 or "help:" in said, said
                if is_mounted:
                    subprocess.run(["mount", "-o", "remount,size=64m", str(place / "project" / where)], check=True)
                code, said = sdrl(place / "project", *UNTIL_SCORE)
                assert code == 0, said
                same += trial.is_same(place / "project/runs/small", SMALL)
                twice = max(twice, sum(sent_twice(server.calls()).values()))
        assert STOPPED in codes and same == len(sizes) and twice <= 2 * SMALL.concurrency
        note = f"{how} of {sizes[0]} to {sizes[-1]} kB, then more"
        yield Row(
            f"a disk that fills: {name}", len(codes), ends_of(codes), f"{same} of {same}", f"at most {twice}", note
        )


def _small_files(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def torn_lines(trial: Trial) -> Iterator[Row]:
    """Files of a finished run that lost their ends, or are something else now: replayed without a call."""
    place, same = trial.new("torn"), 0
    with fault_server(place, *ODD) as server:
        project = place / "project"
        write_project(project, server.url, SMALL)
        assert sdrl(project, *UNTIL_SCORE)[0] == 0
        before = len(server.calls())
        run = project / "runs/small"
        harms = {
            "rows cut": lambda: _cut(run / "artifacts/vote.jsonl"),
            "dropped rows gone": lambda: (run / "artifacts/generate.dropped.jsonl").unlink(),
            "seal cut": lambda: _cut(run / "artifacts/generate.seal.json"),
            "events cut": lambda: _cut(run / "events.jsonl"),
            "plan cut": lambda: _cut(run / "plan/plan.json"),
            "store's rows cut": lambda: [_cut(path) for path in project.glob(".sdrl/artifacts/*/*.jsonl")],
            "result cut": lambda: _cut(run / "result.json"),
        }
        for harm in harms.values():
            harm()
            for path in (run / "artifacts").glob("score.seal.json"):
                path.unlink()
            code, said = sdrl(project, *UNTIL_SCORE)
            assert code == 0, said
            same += trial.is_same(run, SMALL)
        assert same == len(harms) and len(server.calls()) == before
        yield Row("torn files of a run", same, "exit 0", f"{same} of {same}", "0", ", ".join(harms))


def _cut(path: Path) -> None:
    os.truncate(path, max(0, path.stat().st_size - 10))


def flipped_bits(trial: Trial) -> Iterator[Row]:
    """A store that was damaged while nobody looked: pages of the file, and of the log that a kill left.

    Every stage is then made again from the store: what was hit is asked again, and nothing else.
    """
    for name, victim, prepare in (
        ("a page of the cache", "requests.sqlite", _run_and_forget),
        ("the log that a kill left", "requests.sqlite-wal", _run_and_kill),
    ):
        codes, same, again, mended, calls = [], 0, 0, 0, 0
        for seed in range(20):
            place = trial.new("flip")
            with fault_server(place, *ODD) as server:
                project, chance = place / "project", random.Random(seed)
                write_project(project, server.url, SMALL)
                prepare(project, server)
                calls += server.count()
                path = project / ".sdrl" / victim
                _flip(path, chance.randrange(path.stat().st_size - 64))
                ended = _until_done(project)
                codes += [code for code, _ in ended]
                mended += any("W834" in said for _, said in ended)
                same += trial.is_same(project / "runs/small", SMALL)
                again += sum(sent_twice(server.calls()).values())
        assert same == 20
        note = f"of {calls} calls; {mended} mended (W834)"
        yield Row(f"64 bytes flipped in {name}", 20, ends_of(codes), "20 of 20", str(again), note)


def _until_done(project: Path) -> list[tuple[int, str]]:
    """The same command until it is done; it may say once that the store is damaged."""
    ended = [sdrl(project, *UNTIL_SCORE)]
    if ended[0][0] != 0:
        code, said = ended[0]
        assert code == STOPPED and "E834" in said and "help:" in said, said
        ended.append(sdrl(project, *UNTIL_SCORE))
    assert ended[-1][0] == 0, ended[-1][1]
    return ended


def _run_and_forget(project: Path, server: Serving) -> None:
    """Run to the end, and forget what was made of the replies."""
    assert sdrl(project, *UNTIL_SCORE)[0] == 0
    shutil.rmtree(project / "runs")
    shutil.rmtree(project / ".sdrl/artifacts")


def _run_and_kill(project: Path, server: Serving) -> None:
    with start(project, *UNTIL_SCORE) as process:
        while process.poll() is None and len(server.calls()) < 30:
            time.sleep(0.005)
        process.kill()
        process.communicate()


def _flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        old = file.read(64)
        file.seek(at)
        file.write(bytes(byte ^ 0xA5 for byte in old))


def two_at_once(trial: Trial) -> Iterator[Row]:
    """Two runs on one folder, and two that share a store."""
    place = trial.new("two")
    with fault_server(place, *ODD, "--latency-ms", "100") as server:
        project = place / "project"
        write_project(project, server.url, SMALL)
        with start(project, *UNTIL_SCORE) as first:
            _until_it_runs(project / "runs/small/events.jsonl", first)
            code, said = sdrl(project, *UNTIL_SCORE)
            assert code == STOPPED and "E871" in said and f"pid {first.pid}" in said, said
            first.communicate()
        assert first.returncode == 0 and trial.is_same(project / "runs/small", SMALL)
        assert not sent_twice(server.calls())
        yield Row(
            "two runs on one folder", 2, "exit 0, exit 5 (E871)", "1 of 1", "0", "the second names the first's pid"
        )
    place = trial.new("two")
    with fault_server(place, *ODD, "--latency-ms", "50") as server:
        project = place / "project"
        write_project(project, server.url, SMALL)
        running = [start(project, *UNTIL_SCORE, "--run", name) for name in ("a", "b")]
        for process in running:
            process.communicate()
        codes = [process.returncode for process in running]
        assert codes == [0, 0]
        assert all(trial.is_same(project / name, SMALL) for name in ("a", "b"))
        twice = sum(sent_twice(server.calls()).values())
        yield Row(
            "two runs at once on one store", 2, ends_of(codes), "2 of 2", str(twice), "the first reply of a draw wins"
        )


def dead_server(trial: Trial) -> Iterator[Row]:
    """The endpoint dies for good; later another one stands in its place."""
    codes, same = [], 0
    for calls in (0, 1, 5, 12, 20, 30):
        place, port = trial.new("dead"), _free_port()
        project = place / "project"
        with fault_server(place, *ODD, "--port", str(port), "--dies-after", str(calls)) as server:
            write_project(project, server.url, SMALL)
            code, said = sdrl(project, *UNTIL_SCORE, more={PATIENCE_VARIABLE: "0.5"})
            assert code == STOPPED and ("E816" in said or "E817" in said) and "help:" in said, said
            codes.append(code)
        with fault_server(place, *ODD, "--port", str(port)) as server:
            assert sdrl(project, *UNTIL_SCORE)[0] == 0
        same += trial.is_same(project / "runs/small", SMALL)
    assert same == len(codes)
    yield Row("a server that dies for good", len(codes), ends_of(codes), f"{same} of {same}", "", "E816, E817")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def four_thousand(trial: Trial) -> Iterator[Row]:
    """4,000 calls, 256 in flight, killed (-9) at 2,000: the figure that the peers have too."""
    totals = []
    for _ in range(3):
        place = trial.new("many")
        with fault_server(place, "--latency-ms", "200", "--plain") as server:
            command = [sys.executable, "-m", "tests.faults.many_calls", str(place / "store"), server.url, "4000"]
            process = subprocess.Popen(command, cwd=ROOT, env=environment())
            while server.count() < 2000:
                assert process.poll() is None, "it ended by itself"
                time.sleep(0.005)
            process.kill()
            process.wait()
            time.sleep(1)  # what was in flight is answered to nobody
            at_kill = server.count()
            subprocess.run(command, cwd=ROOT, env=environment(), check=True)
            totals.append((at_kill, server.count()))
    assert all(total <= 4256 for _, total in totals)
    above = ", ".join(f"+{total - 4000}" for _, total in totals)
    yield Row("4,000 calls, kill -9 at 2,000", 3, "SIGKILL", "all", above, "256 in flight; calls above 4,000")


ALL = (
    *(mixes, time_outs, every_end, real_kills, full_disks, torn_lines, flipped_bits, two_at_once, dead_server),
    four_thousand,
)
