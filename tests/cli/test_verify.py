"""``sdrl verify`` as a stream: order, all cores, bounded memory, and every way in which it can be ended."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.cli.verify_rows import Batch, Judged, Lines, judge
from sdrl.cli.verify_workers import Workers
from sdrl.verifier import Verifier
from sdrl.verifier.workers import cores
from tests.waiting import comes_true

NUMBER = {"version": 1, "type": "number", "extract": {"kind": "marker", "marker": "####"}}
GSM8K = "specs/gsm8k.yaml"
COMMAND = [sys.executable, "-m", "sdrl", "verify", GSM8K]


def line(number: int, **more: Any) -> bytes:
    return json.dumps({"completion": f"so\n#### {number}", "gold": str(number % 5), **more}).encode() + b"\n"


def in_workers(program: dict[str, Any], data: bytes, size: int = 2_000) -> Judged:
    """All outcomes of two workers as one; ``size`` is small, so that there are many batches."""
    with Workers(program, Verifier.from_program(program), 2) as workers:
        return together(workers.judged(Lines(io.BytesIO(data), size)))


def together(outcomes: Iterator[Judged]) -> Judged:
    all_of = list(outcomes)
    counts: dict[str, int] = {}
    for each in all_of:
        for verdict, count in each.counts.items():
            counts[verdict] = counts.get(verdict, 0) + count
    problems = [each.problem for each in all_of if each.problem]
    return Judged(b"".join(each.output for each in all_of), counts, problems[0] if problems else None)


def children(pid: int) -> set[int]:
    """The living children of a process."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.add(int(folder.name))
    return found


@contextmanager
def endless(**options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """``sdrl verify`` on lines without end."""
    feed = f"import sys\nwhile True: sys.stdout.buffer.write({line(3)!r} * 1000)"
    lines = subprocess.Popen([sys.executable, "-c", feed], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's children would ignore it
    try:
        command = subprocess.Popen(COMMAND, stdin=lines.stdout, stderr=subprocess.PIPE, **options)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        yield command
    finally:
        for process in (command, lines):
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()


def test_workers_give_the_bytes_of_one_process() -> None:
    data = b"".join(line(number, id=f"r{number}" if number % 3 else None) for number in range(700)) + b"\n\n" + line(9)
    alone = judge(Verifier.from_program(NUMBER), Batch(1, data))
    assert alone.output.count(b"\n") == 701 and set(alone.counts) == {"correct", "incorrect"}
    assert in_workers(NUMBER, data) == alone


def test_workers_stop_at_a_bad_line_as_one_process_does() -> None:
    data = b"".join(map(line, range(300))) + b'{"completion": 1}\n' + b"".join(map(line, range(50)))
    with Workers(NUMBER, Verifier.from_program(NUMBER), 2) as workers:
        outcomes = []
        for judged in workers.judged(Lines(io.BytesIO(data), 1_000)):
            outcomes.append(judged)
            if judged.problem:
                break
    found = together(iter(outcomes))
    assert found.output.count(b"\n") == 300
    assert found.problem is not None and found.problem.line == 301


class Feed(io.RawIOBase):
    """Lines for as long as ``wanted`` says so, and what was given."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self.given = b""
        self._wanted = wanted

    def read1(self, size: int) -> bytes:
        if not self._wanted():
            return b""
        self.given += (data := b"".join(map(line, range(40))))
        return data


def test_a_killed_worker_costs_no_row() -> None:
    killed, output = set[int](), b""
    feed = Feed(lambda: len(killed) < 5)
    with Workers(NUMBER, Verifier.from_program(NUMBER), 2) as workers:
        for judged in workers.judged(Lines(feed, 2_000)):  # type: ignore[arg-type]
            output += judged.output
            up = {worker._process.pid for worker in workers._workers if worker.ready} - killed
            if up and len(killed) < 5:
                killed.add(victim := up.pop())
                os.kill(victim, signal.SIGKILL)
    assert len(killed) == 5
    assert output == judge(Verifier.from_program(NUMBER), Batch(1, feed.given)).output


POISON = """
import os
class Poison:
    def read(self, slot, options=None):
        if slot == "poison":
            os.kill(os.getpid(), 9)
        return slot
    def same(self, a, b):
        return a == b
"""


def test_a_row_that_kills_its_process_is_an_error_and_its_neighbours_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sdrl_poison.py").write_text(POISON)
    info = tmp_path / "sdrl_poison-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sdrl-poison\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[sdrl.verifiers]\npoison = sdrl_poison:Poison\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    program = {"version": 1, "type": "program", "extract": {"kind": "whole"}, "entry_point": "poison"}
    rows = [{"completion": "poison" if n in (40, 41, 90) else str(n), "gold": str(n)} for n in range(120)]
    found = in_workers(program, b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    verdicts = [json.loads(row)["verdict"] for row in found.output.splitlines()]
    assert [n for n, verdict in enumerate(verdicts) if verdict == "error"] == [40, 41, 90]
    assert found.counts == {"correct": 117, "error": 3}


def test_workers_end_when_their_parent_is_killed() -> None:
    with endless(stdout=subprocess.DEVNULL) as command:
        assert comes_true(lambda: len(children(command.pid)) == cores()) or cores() == 1
        workers = children(command.pid)
        command.kill()
        command.wait()
    assert comes_true(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_an_interrupt_ends_with_exit_five_and_whole_lines(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with output.open("wb") as file, endless(stdout=file, start_new_session=True) as command:
        assert comes_true(lambda: output.stat().st_size > 3_000_000)
        os.killpg(command.pid, signal.SIGINT)  # as Ctrl-C does: to every process of the group
        _, said = command.communicate(timeout=600)
    assert command.returncode == 5
    assert said.splitlines()[-1] == b"sdrl: interrupted" and b"Traceback" not in said
    rows = output.read_bytes()
    assert rows.endswith(b"}\n") and json.loads(rows.splitlines()[-1])["verdict"] == "correct"


@pytest.mark.parametrize(("gate", "exit_code"), [([], 0), (["--gate"], 6)])
def test_a_closed_pipe_ends_it_quietly(gate: list[str], exit_code: int) -> None:
    command = subprocess.Popen([*COMMAND, *gate], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdin is not None and command.stdout is not None and command.stderr is not None
    command.stdin.write(line(3))
    command.stdin.flush()
    assert json.loads(command.stdout.readline())["verdict"] == "correct"  # before the input ends: it is a stream
    command.stdout.close()
    command.stdin.write(line(3) * 3)
    command.stdin.close()
    said = command.stderr.read()
    command.stderr.close()
    assert command.wait(600) == exit_code
    assert b"Traceback" not in said and b"BrokenPipe" not in said


def test_a_slow_reader_of_the_verdicts_stops_the_reading_of_lines() -> None:
    command = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert command.stdin is not None and command.stdout is not None
    os.set_blocking(command.stdin.fileno(), False)
    taken, last = 0, time.monotonic()
    while time.monotonic() - last < 2 and taken < 64 << 20:
        try:
            taken += os.write(command.stdin.fileno(), line(3) * 1000)
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    command.kill()
    command.stdin.close()
    command.stdout.close()
    command.wait()
    assert 0 < taken < 16 << 20


MEMORY = """
import json, os, sys
from sdrl.cli.verify_rows import Lines
from sdrl.cli.verify_workers import Workers
from sdrl.verifier import Verifier
from sdrl.verifier.workers import cores

class Rows:
    def __init__(self, left): self.left = left
    def fileno(self): raise OSError
    def read1(self, size):
        self.left -= 500
        return ROW * 500 if self.left >= 0 else b""

ROW = json.dumps({"completion": "x" * 300 + "\\n#### 18", "gold": "17"}).encode() + b"\\n"
program = json.loads(sys.argv[1])
peak = 0
with Workers(program, Verifier.from_program(program), 2) as workers:
    pids = [os.getpid(), *(worker._process.pid for worker in workers._workers)]
    for judged in workers.judged(Lines(Rows(int(sys.argv[2])), 1 << 18)):
        peak = max(peak, sum(int(open(f"/proc/{pid}/statm").read().split()[1]) for pid in pids))
print(peak * os.sysconf("SC_PAGE_SIZE"))
"""


def test_memory_of_all_processes_does_not_grow_with_the_rows() -> None:
    def peak(rows: int) -> int:
        words = [sys.executable, "-c", MEMORY, json.dumps(NUMBER), str(rows)]
        return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    small, large = peak(6_000), peak(120_000)  # the larger is 43 MB of input
    assert large - small < 8 << 20, (small, large)


def test_output_over_the_input_is_refused_and_leaves_it_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, link = tmp_path / "rows.jsonl", tmp_path / "link.jsonl"
    rows.write_bytes(line(3))
    link.symlink_to(rows)
    for output in (rows, link):
        assert main(["verify", GSM8K, str(rows), "-o", str(output)]) == 2
        assert "is the file that is read" in capsys.readouterr().err
    assert rows.read_bytes() == line(3)


def test_a_missing_input_leaves_the_output_alone(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text("kept")
    assert main(["verify", GSM8K, str(tmp_path / "missing.jsonl"), "-o", str(output)]) == 1
    assert output.read_text() == "kept"


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (b'{"completion": "a", "gold" "1"}', ":2:28: "),
        ('{"completion": "ä", gold: 1}'.encode(), ":2:21: "),
        (b'{"completion": "\xff"}', ":2:17: the line is not UTF-8"),
        (b'{"id": NaN, "completion": "", "gold": "1"}', ":2: the line is no valid JSON: NaN is not JSON"),
        (b'{"completion": true, "gold": "1"}', ":2: 'completion' is true, not a text"),
        (b'{"completion": "1"}', ":2: 'gold' is missing"),
        (b"[" * 100_000, ":2"),
    ],
)
def test_a_bad_line_is_named_with_its_place_and_what_came_before_is_written(
    tmp_path: Path, bad: bytes, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_bytes(line(3) + bad + b"\n" + line(4))
    assert main(["verify", GSM8K, str(rows), "-o", str(output)]) == 1
    said = capsys.readouterr().err
    assert f"E850: {rows}{place}" in said
    assert [json.loads(row)["id"] for row in output.read_text().splitlines()] == [1]


def test_what_only_an_escape_can_write_comes_out_as_an_escape(tmp_path: Path) -> None:
    rows, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_bytes(b"\xef\xbb\xbf" + line(3, id="\ud800ä") + line(3, id={"a": [1, None]}))
    assert main(["verify", GSM8K, str(rows), "-o", str(output)]) == 0
    ids = [json.loads(row)["id"] for row in output.read_text(encoding="utf-8").splitlines()]
    assert ids == ["\ud800ä", {"a": [1, None]}]
