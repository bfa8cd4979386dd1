# SPDX-License-Identifier: Apache-2.0
"""verl's custom reward function: the shipped verifier, in the signature that verl's reward managers call."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # verl loads this file by its path

import verifier


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: dict[str, Any] | None = None,
    **_: Any,
) -> dict[str, Any]:
    """The reward with what verl logs beside it.

    verl has no way to leave a completion out of its group: where the verifier failed, it is scored as wrong and
    counted in ``verifier_error``; a share above zero is a reason to stop.
    """
    options = json.loads((extra_info or {}).get("options") or "null")
    verdict = verifier.judge(solution_str, ground_truth, options)["verdict"]
    score = verifier.weigh("unparsable" if verdict == "error" else verdict)
    return {
        "score": score,
        "acc": float(verdict == "correct"),
        "parsable": float(verdict in ("correct", "incorrect")),
        "verifier_error": float(verdict == "error"),
    }
