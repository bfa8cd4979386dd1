# SPDX-License-Identifier: Apache-2.0
"""Judges completions exactly as the run did that made this data. Needs nothing of sdrl.

From Python:  ``judge(completion, gold, options)`` gives a dict, ``reward(completion, gold, options)`` a number.
From a shell: ``python verifier.py < rows.jsonl``: rows {completion, gold, options?} in; verdict, prediction and reason
are added. Reads ``verifier.json`` (the program) and ``settings.json`` (stop strings, reward weights) beside this file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

if __package__:  # part of a package
    from .sdrl_verifier import Verifier
else:  # a script, or found on sys.path
    from sdrl_verifier import Verifier

HERE = Path(__file__).resolve().parent
Item = tuple[str, str, Mapping[str, str] | None]


@lru_cache(maxsize=1)
def settings() -> dict[str, Any]:
    """The stop strings and the weights of the reward."""
    return json.loads((HERE / "settings.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def compiled() -> Verifier:
    """The program of ``verifier.json``, compiled once."""
    return Verifier.from_program(json.loads((HERE / "verifier.json").read_text(encoding="utf-8")))


def before_stop(completion: str) -> str:
    """The completion up to its first stop string, which is no part of it."""
    ends = [at for at in (completion.find(text) for text in settings()["stop"] if text) if at >= 0]
    return completion[: min(ends)] if ends else completion


def judge(completion: str, gold: str, options: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """The verdict (correct, incorrect, unparsable or error) with the prediction and the reason. Never raises."""
    return judge_many([(completion, gold, options)])[0]


def judge_many(items: Sequence[Item]) -> list[dict[str, str | None]]:
    """The verdicts on (completion, gold, options), in order; mathematics shares worker processes."""
    cut = [(before_stop(completion), gold, options) for completion, gold, options in items]
    return [
        {"verdict": one.verdict, "prediction": one.prediction, "reason": one.reason}
        for one in compiled().judge_many(cut)
    ]


def weigh(verdict: str | None, *, truncated: bool = False) -> float | None:
    """The weighted reward of a verdict; None where the verifier failed: leave that completion out, it is not wrong."""
    if verdict == "error":
        return None
    weights = settings()["reward"]
    value = weights["correct"] if verdict == "correct" else weights["wrong"]
    value += weights["parsable"] if verdict == "incorrect" else 0.0
    return float(value + (weights["truncated"] if truncated else 0.0))


def reward(
    completion: str, gold: str, options: Mapping[str, str] | None = None, *, truncated: bool = False
) -> float | None:
    """The reward of one completion, or None where the verifier failed."""
    return weigh(judge(completion, gold, options)["verdict"], truncated=truncated)


def main() -> None:
    """Judge the JSON Lines of stdin."""
    for line in sys.stdin:
        if line.strip():
            row = json.loads(line)
            found = judge(row["completion"], row["gold"], row.get("options"))
            sys.stdout.write(json.dumps({**row, **found}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
