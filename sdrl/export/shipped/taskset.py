# SPDX-License-Identifier: Apache-2.0
"""The rows and the verifier of a run as a taskset of ``verifiers`` (its v1 form: taskset, task, task data).

``verifiers`` asks chat endpoints: a prompt that was trained as plain text is sent as one user message.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import verifiers.v1 as vf

from .verifier import compiled, judge, settings, weigh

DATA = Path(__file__).resolve().parent / "data"


class SampleData(vf.TaskData):
    """One sample: what is asked, its gold, and what the verifier needs besides."""

    gold: str
    options: dict[str, str] | None = None


class SampleTask(vf.Task[SampleData]):
    """Single-turn: the model answers once."""

    @vf.stop
    async def single_turn(self, trace: vf.Trace) -> bool:
        """Refuse a second turn."""
        return trace.num_turns >= 1

    @vf.reward(weight=1.0)
    async def verified(self, trace: vf.Trace) -> float:
        """The plan's reward. A verifier that fails is an error of the rollout, never a wrong answer."""
        verdict = judge(answer_of(trace), self.data.gold, self.data.options)
        value = weigh(verdict["verdict"])
        if value is None:
            raise RuntimeError(f"the verifier failed: {verdict['reason']}")
        return value

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the verifier can read the gold, without which no answer could be right (``vf-validate``)."""
        return compiled().read_gold(self.data.gold, self.data.options) is not None

    @vf.metric
    async def correct(self, trace: vf.Trace) -> float:
        """Accuracy, whatever the weights of the reward."""
        return float(judge(answer_of(trace), self.data.gold, self.data.options)["verdict"] == "correct")


def answer_of(trace: vf.Trace) -> str:
    """The reply to the byte; ``last_reply`` strips what a marker at the end of a line may need."""
    replies = trace.assistant_messages
    return str(replies[-1].content or "") if replies else ""


class SampleConfig(vf.TasksetConfig):
    """Which rows to load."""

    split: Literal["train", "validation", "test"] = "train"


class SampleTaskset(vf.Taskset[SampleTask, SampleConfig]):
    """The rows of one split."""

    def load(self) -> list[SampleTask]:
        """Read the split's rows."""
        path = DATA / f"{self.config.split}.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        return [SampleTask(_data(index, row), self.config.task) for index, row in enumerate(rows)]


def _data(index: int, row: dict) -> SampleData:
    said = {message["role"]: message["content"] for message in row["messages"]}
    return SampleData(
        idx=index,
        name=row["id"],
        prompt=said["user"],
        system_prompt=said.get("system"),
        gold=row["gold"],
        options=row["options"],
    )


__all__ = ["SampleTaskset", "settings"]
