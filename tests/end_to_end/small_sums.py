"""The head of the small specs of these tests, for ``str.format``: a task of sums over ``passages.jsonl``."""

from __future__ import annotations

SUMS = """\
sdrl: 1
task:
  description: Question answering about small sums; add two numbers.
  output_format: "Work it out and write the number after ####."
answer: {{type: number, extract: {{marker: "####"}}}}
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{keywords: [passage]}}
"""
