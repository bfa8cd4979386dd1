"""The math workers when things go wrong: stopped, out of memory, without a parent, without math-verify."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sdrl.verifier import math_worker, workers
from sdrl.verifier.workers import MathFailure, Pair, Pool
from tests.waiting import comes_true

PAIR = Pair("\\sqrt{4}", "2", "1e-6", "0")
# One long step of the interpreter: no handler of the worker runs before it ends. The guard in front refuses it.
ENDLESS = Pair("99999999!", "2", "1e-6", "0")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def ends(pid: int) -> bool:
    return comes_true(lambda: not is_running(pid))


def test_a_stopped_worker_is_an_error_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(1)
    assert pool.compare([PAIR]) == [True]
    pid = pool._idle[0]._process.pid
    os.kill(pid, signal.SIGSTOP)
    with monkeypatch.context() as hasty:
        hasty.setattr(workers, "WAIT_MS", 1)
        failure = pool.compare([PAIR])[0]
    assert isinstance(failure, MathFailure) and str(failure) == workers.OUT_OF_TIME
    assert not is_running(pid)
    assert pool.compare([PAIR]) == [True]
    pool.close()


def test_a_comparison_that_no_handler_can_end_is_an_error_and_the_rest_is_judged() -> None:
    pool = Pool(1)
    found = pool.compare([PAIR, ENDLESS, PAIR])
    assert [found[0], found[2]] == [True, True]
    assert isinstance(found[1], MathFailure)
    pool.close()


LIMITED = """\
import signal, time
from sdrl.verifier import math_worker as worker
signal.signal(signal.SIGVTALRM, worker._on_alarm)
worker.SOFT_CPU_S = 0.5
worker.compare = lambda *texts: WORK
print(worker.answer({'a': 'x', 'b': 'y', 'abs': '0', 'rel': '0'}))
"""


@pytest.mark.parametrize(("work", "reply"), [
    ("time.sleep(1) is None", {"equal": True}),  # what waits for the processor is not out of time
    ("any(False for _ in iter(int, 1))", {"error": workers.OUT_OF_TIME}),
    ("any(iter(int, 1))", None),  # one long step, in which no handler runs
])  # fmt: skip
def test_a_comparison_is_given_processor_time_and_not_time(work: str, reply: dict[str, object] | None) -> None:
    words = [sys.executable, "-c", LIMITED.replace("WORK", work)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ((f"{reply}\n", 0) if reply else ("", -signal.SIGPROF))


def test_a_worker_that_its_processor_time_ended_ran_out_of_time() -> None:
    pool = Pool(1)
    assert pool.compare([PAIR]) == [True]
    worker = pool._idle[0]
    os.kill(worker._process.pid, signal.SIGPROF)
    (failure,) = worker.compare([PAIR])
    assert isinstance(failure, MathFailure) and str(failure) == workers.OUT_OF_TIME
    pool.close()


@pytest.mark.parametrize("pair", [PAIR, ENDLESS], ids=["idle", "at work"])
def test_no_worker_outlives_a_parent_that_is_killed(pair: Pair) -> None:
    code = (
        "import sys, threading, time\n"
        "from sdrl.verifier.workers import Pair, shared_pool\n"
        "pool = shared_pool()\n"
        "assert pool.compare([Pair('y+x', 'x+y', '0', '0')]) == [True]\n"
        "pid = pool._idle[0]._process.pid\n"
        f"threading.Thread(target=pool.compare, args=([Pair{tuple(pair)!r}],), daemon=True).start()\n"
        "time.sleep(0.2)\n"
        "print(pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert ends(pid)


def test_a_comparison_out_of_memory_is_an_error_that_says_so() -> None:
    code = (
        "from sdrl.verifier import math_worker as worker\n"
        "import signal\n"
        "signal.signal(signal.SIGVTALRM, worker._on_alarm)\n"
        "worker._confine()\n"
        "worker.compare = lambda *texts: len(bytearray(2 * worker.MEMORY_BYTES)) > 0\n"
        "print(worker.answer({'a': 'x', 'b': 'y', 'abs': '0', 'rel': '0'}))\n"
        "worker.compare = lambda *texts: True\n"
        "print(worker.answer({'a': 'x', 'b': 'y', 'abs': '0', 'rel': '0'}))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["{'error': 'the comparison failed: MemoryError'}", "{'equal': True}"]


def test_a_missing_math_verify_is_named_with_the_way_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "math_verify.py").write_text("raise ModuleNotFoundError(\"No module named 'math_verify'\")\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pool = Pool(1)
    failure = pool.compare([PAIR])[0]
    assert isinstance(failure, MathFailure)
    assert str(failure) == (
        "math-verify cannot be loaded (No module named 'math_verify'); pip install 'math-verify>=0.9,<0.10'"
    )
    pool.close()


def test_two_numbers_are_compared_exactly_where_both_are_exact() -> None:
    for a, b, equal in (
        ("2^{100}", "1267650600228229401496703205376", True),
        ("2^{100}", "1267650600228229401496703205377", False),
        ("\\frac{1}{2^{98}}", "\\frac{1}{2^{99}}", False),
        ("\\sqrt{2}\\cdot\\sqrt{2}", "2", True),
        ("\\sin(\\pi)", "0", True),
    ):
        assert math_worker.compare(a, b, "1e-6", "0") is equal, (a, b)
    assert math_worker.compare("\\sqrt{2}", "1.41", "0.01", "0") is True
    assert math_worker.compare("\\frac{140}{99}", "\\sqrt{2}", "0.01", "0") is True
