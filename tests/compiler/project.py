"""A small, complete project on disk for compiler tests: spec, passages, an evaluation set and a model folder."""

from __future__ import annotations

import json
from pathlib import Path

SPEC = """\
sdrl: 1
name: sums
task:
  description: Question answering about sums; add the numbers.
  output_format: "Work it out and write the number after ####."
  license: CC0-1.0
answer:
  type: number
  extract: {marker: "####"}
demos:
  - {input: "What is 1 + 1?", output: "1 + 1 = 2\\n#### 2"}
  - {input: "What is 2 + 3?", output: "2 + 3 = 5\\n#### 5"}
corpus:
  - {files: [passages.jsonl], license: CC0-1.0}
synthesize: {samples: 40}
vote: {draws: 8}
select: {samples: 20, min: 5}
models:
  instructor: {model: some-model-2026-01-01, endpoint: "http://127.0.0.1:1/v1", price: {input: 2.5, output: 10}}
  base: {model: ./base, serve: embedded, prompt: raw}
train: {epochs: 2, learning_rate: 1e-6}
evaluate:
  - name: test
    file: test.jsonl
    input: "{question}"
    gold: {field: answer, extract: {marker: "####"}}
budget: {usd: 5}
seed: 7
"""


def write_project(folder: Path, spec: str = SPEC) -> Path:
    """Write the project into ``folder`` and return the spec's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "passages.jsonl", [{"id": f"p{n}", "text": f"Passage {n} about adding."} for n in range(5)])
    problems = [{"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"} for n in range(2, 8)]
    write_rows(folder / "test.jsonl", problems)
    (folder / "base").mkdir(exist_ok=True)
    (folder / "base" / "config.json").write_text("{}")
    (folder / "base" / "model.safetensors").write_bytes(b"weights")
    path = folder / "sums.yaml"
    path.write_text(spec)
    return path


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    """JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
