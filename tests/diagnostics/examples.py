"""The examples of the table of codes, put into a small whole spec, so that a test can hold them to what they claim.

A block of the example takes the place of the small spec's block of that name; what stands below a table gets that table
around it, and a task or answer its missing keys. What is no YAML of a spec (a command line, a template, an outline with
"…") cannot be put anywhere. Examples of syntax codes stand alone.
"""

from __future__ import annotations

import re
from pathlib import Path

from sdrl.spec.model import Spec
from sdrl.spec.shapes import fields_of

SMALL = {
    "sdrl": "sdrl: 1",
    "name": "name: small",
    "task": "task: {description: Add two numbers.}",
    "answer": "answer: {type: number}",
}
# what stands below a table, and the table around it
_AROUND = {
    "extract": "answer: {{extract: {0}}}",
    "options": "answer: {{type: label, options: {0}}}",
    "output_format": "task: {{output_format: {0}}}",
    "gold": "evaluate: [{{name: test, file: test.jsonl, gold: {0}}}]",
    "base": "models: {{instructor: {{model: some-model}}, base: {0}}}",
    "instructor": "models: {{base: {{model: toy-base}}, instructor: {0}}}",
}
_NEEDED = {
    "task": {"description": "Add two numbers.", "output_format": '"Write it after #### or in <answer> or <sql>."'},
    "answer": {"type": "number", "extract": '{marker: "####"}'},
}
_FILES = {
    "answer.jinja": "{{ input }}\n",
    "passages/a.jsonl": '{"text": "Adding makes more."}\n',
    "passages.jsonl": '{"text": "Adding makes more."}\n',
    "p.jsonl": '{"text": "Adding makes more."}\n',
    "empty.jsonl": "",
    "d.jsonl": '{"question": "1 + 1?", "output": "#### 2"}\n',
    "test.jsonl": '{"input": "1 + 1?", "question": "1 + 1?", "answer": "#### 2"}\n',
    "checkpoints/step-100/config.json": "{}\n",
}
_BLOCK = re.compile(r"\n(?=[a-z_]+:)")


def write_files(folder: Path) -> None:
    """The files that examples name."""
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def embedded(code: str, example: str) -> str | None:
    """A whole spec with the example in it, or None where the example is no YAML of a spec."""
    if code.startswith("E1"):
        return example + "\n"
    blocks = dict(SMALL)
    given = _BLOCK.split(example)
    if ", …" in example or "{…" in example or not all(_key(block) in {*fields_of(Spec), *_AROUND} for block in given):
        return None
    for block in given:
        key, value = _key(block), block.partition(": ")[2].partition("  # ")[0]
        if key in _AROUND:
            key, block = _AROUND[key].partition(":")[0], _AROUND[key].format(value)
        blocks[key] = block
    return (
        "\n".join(
            block if code == "E203" and key == _key(example) else _completed(key, block)
            for key, block in blocks.items()
        )
        + "\n"
    )


def _key(block: str) -> str:
    return block.partition(":")[0]


def _completed(key: str, block: str) -> str:
    """A task or an answer with the keys that every spec needs."""
    for name, value in _NEEDED.get(key, {}).items():
        if f"{name}:" not in block and block.startswith(f"{key}: {{"):
            block = f"{block[:-1]}, {name}: {value}}}"
    return block
