"""docs/tutorial.md as a stranger would follow it: files written, commands given in order, outputs as the page says.

Only counts are made smaller, so that it takes seconds; ``make tutorial`` follows it at full size.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from sdrl.spec.loader import load_spec

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.M | re.S)
SMALLER = {
    "synthesize: {samples: 120}": "synthesize: {samples: 24}",
    "vote: {draws: 8}": "vote: {draws: 4}",
    "validate: {share: 0.2,": "validate: {share: 0.4,",
    "score: {draws: 32,": "score: {draws: 8, adaptive: false,",
    "select: {samples: 80, min: 20}": "select: {samples: 8, min: 2, min_solved: 1}",
    "train: {epochs: 2,": "train: {epochs: 1, rollouts: 4, prompts_per_step: 2,",
}
TOY_SIZES = ("vote", "score", "select", "train")  # the page says: take these out
BEFORE = ("make install", ". .venv/bin/activate")  # done where this test runs
AFTER = ("sdrl doctor market.yaml", "sdrl compile market.yaml --pin")  # would ask the hub and somebody's endpoint


@dataclass
class Follower:
    """Somebody who does what the page says, in one folder."""

    folder: Path
    smaller: dict[str, str]
    said: str = ""
    transcript: str = ""

    def do(self, kind: str, title: str, text: str) -> None:
        if title == "output":
            self.look_for(text)
        elif title == "own-models":
            self.check_models(text)
        elif title:
            self.write(title, text)
        else:
            assert kind == "bash", f"a block that nothing checks: {text}"
            self.said = "".join(self.give(line) for line in text.splitlines())
            self.transcript += f"{text}\n{self.said}\n"

    def write(self, title: str, text: str) -> None:
        path = self.folder / title.removeprefix("+")
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if title.startswith("+") else ""
        if title == "market.yaml":
            for large, small in self.smaller.items():
                assert large in text
                text = text.replace(large, small)
        path.write_text(before + text, encoding="utf-8")

    def give(self, line: str) -> str:
        if line in (*BEFORE, *AFTER):
            return ""
        words = shlex.split(line)
        assert words[0] == "sdrl", line
        env = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        command = [sys.executable, "-m", "sdrl", *words[1:]]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def look_for(self, text: str) -> None:
        rest = " ".join(self.said.split())
        for line in text.splitlines():
            assert line in rest, f"{line!r} is not in, or not in this order:\n{self.said}"
            rest = rest.split(line, 1)[1]

    def check_models(self, text: str) -> None:
        spec = yaml.safe_load((self.folder / "market.yaml").read_text(encoding="utf-8"))
        kept = {key: value for key, value in spec.items() if key not in TOY_SIZES}
        for each in kept["evaluate"]:
            del each["sampling"]
        own = self.folder / "own.yaml"
        own.write_text(yaml.safe_dump(kept | yaml.safe_load(text)), encoding="utf-8")
        assert [each.code for each in load_spec(own).diagnostics if each.code.startswith("E")] == []
        self.give("sdrl plan own.yaml")  # the budget must be enough, too


def follow(folder: Path, smaller: dict[str, str]) -> Follower:
    follower = Follower(folder, smaller)
    for kind, title, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        follower.do(kind, title, text)
    return follower


def test_every_step_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    follow(tmp_path, SMALLER)
    assert (tmp_path / "runs/market/report.html").is_file()
    assert (tmp_path / "runs/market/model/config.json").is_file()
    assert (tmp_path / "out/market/verifier.py").is_file()
    assert not (tmp_path / "runs/first/artifacts/train.jsonl").exists()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tutorial-") as place:
        sys.stdout.write(follow(Path(place), {}).transcript)
