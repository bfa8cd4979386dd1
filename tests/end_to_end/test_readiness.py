"""A base model that is not ready ends the run with exit 6, and each remedy, put into the spec as printed, helps.

The endpoints are fake: the base model shows one bad habit and loses it when asked in the way that the remedy says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.test_bad_ends import SPEC, fake_server, folder

__all__ = ["folder"]  # a fixture
RAMBLES = "Let me think.\nQuestion: how many?\nQuestion: how many are left?\nQuestion: how many then?"


def base_says(habit: Callable[[dict[str, Any]], str]) -> Callable[[str, dict[str, Any]], tuple[int, Any]]:
    def reply(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if "messages" in body:
            asked = body["messages"][-1]["content"]
            if "response_format" not in body:
                return 200, "#### 3"
            number = re.search(r"passage number (\d)", asked)
            return 200, json.dumps({"input": f"Case {number and number[1]}: what is 1 plus 2?", "output": "#### 3"})
        text = habit(body)
        ends = [at for stop in body.get("stop") or () if (at := text.find(stop)) >= 0]
        return 200, text[: min(ends)] if ends else text

    return reply


def run(folder: Path, url: str, *changes: tuple[str, str]) -> tuple[int, str, dict[str, Any]]:
    """Run to the probe with these replacements; exit code, what was said, and the figures of the result."""
    text = SPEC.format(url=url)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "small.yaml").write_text(text)
    name = f"run{len(list(folder.glob('run*')))}"
    words = [sys.executable, "-m", "sdrl", "run", "small.yaml", "--yes", "--run", name, "--until", "probe"]
    env = {**os.environ, "SMALL_KEY": "none"}
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=env)
    result = json.loads((folder / name / "result.json").read_text())
    return done.returncode, done.stderr, result["readiness"]


def offered(said: str, key: str) -> str:
    """The value that the message gives for a key, as it would be typed into the spec."""
    found = re.search(rf"{re.escape(key)}: (\[.*?\]|[\w.]+)(?: \(|;|\n|$)", said)
    assert found, said
    return found[1]


def test_two_format_examples_help_a_model_that_does_not_know_the_form(folder: Path) -> None:
    with fake_server(base_says(lambda body: "#### 3" if "two examples: #### 3" in body["prompt"] else "Three.")) as url:
        code, said, figures = run(folder, url)
        assert (code, figures["parsable"], figures["n"]) == (6, 0.0, 4)
        assert "E865" in said and "only 0.0%" in said
        rules = offered(said, "prompts.answer.extra_rules")
        code, _, figures = run(
            folder, url, ("filter: []", f"filter: []\nprompts: {{answer: {{extra_rules: {rules}}}}}")
        )
        assert (code, figures["parsable"], figures["solved"]) == (0, 1.0, 1.0)


def test_a_stop_string_that_cuts_right_answers_is_found_out(folder: Path) -> None:
    with fake_server(base_says(lambda body: "1 + 2 = 3\n#### 3")) as url:
        broken = ("prompt: raw,", 'prompt: raw, stop: ["####"],')
        code, said, figures = run(folder, url, broken)
        assert (code, figures["parsable"]) == (6, 0.0)
        assert offered(said, "models.base.stop") == "auto"
        code, _, figures = run(folder, url, (broken[0], "prompt: raw, stop: auto,"))
        assert (code, figures["parsable"]) == (0, 1.0)


def test_a_model_that_goes_on_with_the_next_problem_gets_its_own_stop_string(folder: Path) -> None:
    """The last marker counts, and it belongs to a problem that the model made up and did not answer."""
    with fake_server(base_says(lambda body: "So it is\n#### 3\nQuestion: What is left?\n#### is where it goes")) as url:
        code, said, figures = run(folder, url)
        assert (code, figures["parsable"]) == (6, 0.0)
        stop = offered(said, "models.base.stop")
        assert json.loads(stop) == ["\nQuestion:"]
        code, _, figures = run(folder, url, ("prompt: raw,", f"prompt: raw, stop: {stop},"))
        assert (code, figures["solved"]) == (0, 1.0)


def test_a_reward_for_readable_answers_needs_one_in_a_group(folder: Path) -> None:
    def sometimes(body: dict[str, Any]) -> str:
        return "#### 4" if "Case 0" in body["prompt"] else RAMBLES

    with fake_server(base_says(sometimes)) as url:
        high = ("score: {draws: 4}", "probe: {min_parsable: 0.9}\nscore: {draws: 4}")
        code, said, figures = run(folder, url, high)
        assert code == 6 and 0 < figures["parsable"] < 0.9
        worth = offered(said, "train.reward.parsable")
        code, _, figures = run(
            folder, url, high, ("filter: []", f"filter: []\ntrain: {{reward: {{parsable: {worth}}}}}")
        )
        assert (code, figures["wanted"]) == (0, 1 / 16)


def test_a_short_training_on_voted_solutions_needs_no_readable_answer(folder: Path) -> None:
    with fake_server(base_says(lambda body: RAMBLES)) as url:
        code, said, figures = run(folder, url)
        assert (code, figures["parsable"]) == (6, 0.0)
        algorithm = offered(said, "train.algorithm")
        code, _, figures = run(folder, url, ("filter: []", f"filter: []\ntrain: {{algorithm: {algorithm}}}"))
        assert (code, figures["wanted"]) == (0, 0.0)


def test_a_chat_template_in_the_models_folder_is_offered(folder: Path) -> None:
    (folder / "base/chat_template.jinja").write_text("{% for m in messages %}<u>{{ m['content'] }}</u>{% endfor %}")
    with fake_server(base_says(lambda body: "#### 3" if "<u>" in body["prompt"] else RAMBLES)) as url:
        code, said, _ = run(folder, url)
        assert (code, offered(said, "models.base.prompt")) == (6, "chat")
        code, _, figures = run(folder, url, ("prompt: raw", "prompt: chat"))
        assert (code, figures["parsable"]) == (0, 1.0)
