"""The verifier's interface: spans, groups, sameness, golds, failures, and what importing it costs."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sdrl.verifier
from sdrl.verifier import Extraction, Judgement, Verifier
from sdrl.verifier.workers import Pair, Pool, close_pool, shared_pool

NUMBER = Verifier.from_program({"version": 1, "type": "number", "extract": {"kind": "marker", "marker": "####"}})
MATH = Verifier.from_program({"version": 1, "type": "math", "extract": {"kind": "boxed"}})
TAG = {"kind": "tag", "name": "answer"}


def test_the_span_is_the_slot_in_the_whole_completion() -> None:
    completion = "<think>#### 17</think>so\n#### $1,800 a day\nbye"
    found = NUMBER.extract(completion)
    assert found.prediction == "1800" and found.span is not None
    assert completion[slice(*found.span)] == " $1,800 a day"


def test_the_span_of_a_very_long_completion_counts_from_its_start() -> None:
    completion = "x" * (3 << 20) + "\n#### 18"
    found = NUMBER.extract(completion)
    assert found.span is not None and completion[slice(*found.span)].strip() == "18"


def test_a_conflict_has_no_prediction_and_is_incorrect() -> None:
    assert NUMBER.extract("#### 17, 18") == Extraction(None, (4, 11), "several values in the slot", conflict=True)
    assert NUMBER.judge("#### 17, 18", "18") == Judgement(None, "incorrect", "several values in the slot")


def test_groups_count_from_zero_and_keep_none() -> None:
    assert NUMBER.group(["18", None, "17", "18.0000001", None, "17"]) == [0, None, 1, 0, None, 1]
    assert MATH.group(["0.5", "\\sqrt{4}", "2", None, "\\frac{\\sqrt{3}}{2}", "\\sqrt{3}/2"]) == [0, 1, 1, None, 2, 2]
    assert NUMBER.group([]) == []


def test_same_uses_the_tolerance() -> None:
    assert NUMBER.same("18", "18.0000005") and not NUMBER.same("18", "18.1")
    assert NUMBER.same("1/3", "0.3333333") and not NUMBER.same("1/3", "0.3333")


def test_a_gold_is_read_to_its_canonical_text_or_none() -> None:
    assert NUMBER.read_gold("$1,800.00") == "1800"
    assert NUMBER.read_gold("eighteen") is None
    assert MATH.read_gold("\\dfrac{3}{6}") == "0.5"
    choice = Verifier.from_program({"version": 1, "type": "choice", "extract": TAG})
    assert choice.read_gold("London", {"A": "Paris", "B": "London"}) == "B"


def test_a_verifier_travels_to_another_process_as_its_program() -> None:
    copy = pickle.loads(pickle.dumps(NUMBER))
    assert copy.program == NUMBER.program
    assert copy.judge("#### 18", "18").verdict == "correct"


def test_a_failing_plugin_gives_the_verdict_error_and_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier.from_program({"version": 1, "type": "text", "extract": {"kind": "whole"}})

    class Broken:
        def read(self, slot: str, options: Mapping[str, str] | None = None) -> object:
            raise RuntimeError("broken inside")

        def same(self, a: str, b: str) -> bool:
            raise RuntimeError("broken inside")

    monkeypatch.setattr(verifier, "_type", Broken())
    assert verifier.judge("x", "x").verdict == "error"
    assert "broken inside" in verifier.judge("x", "x").reason
    assert verifier.extract("x").failed
    assert verifier.read_gold("x") is None
    assert verifier.same("x", "y") is False


def test_importing_the_verifier_loads_no_heavy_library_and_nothing_else_of_sdrl() -> None:
    code = (
        "import sys, json, sdrl.verifier as v\n"
        "n = v.Verifier.from_program({'version': 1, 'type': 'math', 'extract': {'kind': 'boxed'}})\n"
        r"n.judge(r'\boxed{\frac12}', '0.5')" + "\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(out))
    assert not loaded & {"math_verify", "sympy", "re2", "pydantic", "yaml", "asyncio"}
    assert {name for name in loaded if name.startswith("sdrl.")} == {
        name for name in loaded if name.startswith("sdrl.verifier")
    }


def test_no_file_of_the_package_imports_another_layer() -> None:
    folder = Path(sdrl.verifier.__file__).parent
    for file in folder.glob("*.py"):
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        foreign = [
            line for line in lines if line.startswith(("import sdrl", "from sdrl")) and "sdrl.verifier" not in line
        ]
        assert not foreign, file.name


def test_math_is_judged_from_many_threads_at_once() -> None:
    items = [(rf"\boxed{{\sqrt{{{n * n}}}}}", str(n + n % 2)) for n in range(2, 26)]
    with ThreadPoolExecutor(6) as pool:
        found = [judgement.verdict for judgement in pool.map(lambda item: MATH.judge(*item), items)]
    assert found == ["correct" if n % 2 == 0 else "incorrect" for n in range(2, 26)]


async def test_math_is_judged_inside_an_event_loop() -> None:
    assert MATH.judge(r"\boxed{\sqrt{9}}", "3").verdict == "correct"
    found = await asyncio.gather(
        *(asyncio.to_thread(MATH.judge, rf"\boxed{{\sqrt{{{n * n}}}}}", str(n)) for n in range(2, 8))
    )
    assert {judgement.verdict for judgement in found} == {"correct"}


def test_a_hanging_comparison_is_an_error_and_the_next_one_works() -> None:
    found = MATH.judge_many(
        [
            (r"\boxed{\sqrt{16}}", "4", None),
            (r"\boxed{\int_0^1 \int_0^1 (x^y)^{\sin(xy)} dx dy}", "3", None),
            (r"\boxed{\sqrt{25}}", "5", None),
        ]
    )
    assert [judgement.verdict for judgement in found] == ["correct", "error", "correct"]
    assert "deadline" in found[1].reason


def test_a_killed_worker_is_replaced_and_leaves_no_zombie() -> None:
    pool = Pool(1)
    pair = Pair("\\sqrt{4}", "2", "1e-6", "0")
    assert pool.compare([pair]) == [True]
    process = pool._idle[0]._process
    process.kill()
    process.wait()
    assert isinstance(pool.compare([pair])[0], RuntimeError)
    assert pool.compare([pair, pair]) == [True, True]
    replacement = pool._idle[0]._process
    pool.close()
    assert replacement.returncode is not None


def test_a_closed_pool_starts_again_when_needed() -> None:
    assert MATH.judge(r"\boxed{\sqrt{36}}", "6").verdict == "correct"
    close_pool()
    assert MATH.judge(r"\boxed{\sqrt{49}}", "7").verdict == "correct"


def test_a_forked_child_does_not_share_its_parents_workers() -> None:
    code = (
        "import os, sys\n"
        "from sdrl.verifier import Verifier\n"
        "v = Verifier.from_program({'version': 1, 'type': 'math', 'extract': {'kind': 'boxed'}})\n"
        r"first = v.judge(r'\boxed{\sqrt{4}}', '2').verdict" + "\n"
        "pid = os.fork()\n"
        r"second = v.judge(r'\boxed{\sqrt{9}}', '3').verdict" + "\n"
        "if pid == 0:\n"
        "    os._exit(0 if second == 'correct' else 1)\n"
        "print(first, second, os.waitpid(pid, 0)[1])\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["correct", "correct", "0"]


def test_workers_end_with_the_process_that_started_them() -> None:
    code = (
        "from sdrl.verifier.workers import Pair, shared_pool\n"
        r"assert shared_pool().compare([Pair(r'\sqrt{4}', '2', '0', '0')]) == [True]" + "\n"
        "print(shared_pool()._idle[0]._process.pid)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    with pytest.raises(ProcessLookupError):
        os.kill(int(out), 0)


def test_the_pool_never_holds_more_workers_than_its_size() -> None:
    pairs = [Pair(f"\\sqrt{{{n * n}}}", str(n), "1e-6", "0") for n in range(2, 90)]
    pool = shared_pool()
    assert pool.compare(pairs) == [True] * len(pairs)
    assert 1 <= len(pool._idle) <= pool.size
