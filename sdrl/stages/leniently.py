"""The lenient reading beside the strict one, for answers on test sets: how much of what is wrong is form.

What the strict verifier reads keeps its verdict; where it reads nothing, the answer is looked for elsewhere in the
completion (``verifier/lenient.py``). Selects nothing and is no reward.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sdrl.stages.context import Row
from sdrl.verifier import Verifier
from sdrl.verifier.lenient import lenient_program


def lenient_verifier(program: Mapping[str, Any]) -> Verifier | None:
    """The verifier that reads leniently, or None where the task has no such reading."""
    lenient = lenient_program(program)
    return None if lenient is None else Verifier.from_program(lenient)


async def also_leniently(lenient: Verifier | None, problem: Row, answers: Sequence[Row]) -> list[Row]:
    """The judged ``answers`` to a problem with ``lenient``: whether each is right when read leniently."""
    if lenient is None:
        return list(answers)
    unread = [number for number, answer in enumerate(answers) if answer["verdict"] == "unparsable"]
    asked = [(answers[number]["completion"], problem["gold"], problem["options"]) for number in unread]
    # mathematics is compared by worker processes, seconds a batch: off the event loop
    found = await asyncio.to_thread(lenient.judge_many, asked) if asked else []
    right = {number for number, each in zip(unread, found, strict=True) if each.verdict == "correct"}
    return [
        {**answer, "lenient": answer["verdict"] == "correct" or number in right}
        for number, answer in enumerate(answers)
    ]
