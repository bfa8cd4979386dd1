"""``python -m tests.methods.asked``: what each method asks for 120 samples where no reply is lost, beside its estimate.

The fake instructor fills in schemas (``fake_writer``), over HTTP, on three passages: the figures speak of requests, not
of samples. Prints Markdown rows; asserts nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sdrl.compiler.compile import write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.method_table import METHOD_TABLE
from tests.end_to_end.fake_openai import fake_openai
from tests.methods.test_runs import RIVALS, compiled, rows, writer

SAMPLES = 120


def row(method: str) -> str:
    """One method's row: samples written, requests by prompt, all of them, expected, worst case."""
    fake = writer()
    with TemporaryDirectory() as name, fake_openai(fake) as url:
        folder = Path(name)
        project = compiled(folder, method, "number", url, SAMPLES)
        write_plan(project, folder / "plan")
        options = RunOptions(until="generate")
        execute(read_plan(folder / "plan"), RunFolder(folder / "run"), folder / "store", options)
        written = len(rows(folder, "run", "generate"))
    asked = {prompt: fake.asked[prompt] for prompt in METHOD_TABLE[method].prompts}
    estimated = next(stage for stage in project.require().estimate["stages"] if stage["stage"] == "generate")
    expected, worst = (estimated[case]["requests"] for case in ("expected", "worst"))
    by_prompt = ", ".join(f"{prompt} {count}" for prompt, count in asked.items())
    total = sum(asked.values())
    return f"| `{method}` | {written} | {by_prompt} | {total} | {expected} | {total / expected:.2f} | {worst} |"


def main() -> None:
    """A table of all methods that are built, but for grounded."""
    sys.stdout.write("| method | written | requests by prompt | all | expected | ratio | worst |\n")
    sys.stdout.write("|---|--:|---|--:|--:|--:|--:|\n")
    for method in RIVALS:
        sys.stdout.write(row(method) + "\n")


if __name__ == "__main__":
    main()
