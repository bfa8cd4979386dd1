"""``python -m tests.bench.filters [SAMPLES]``: precision and recall of the filters where the truth is known.

Near duplicates: the scripted instructor repeats a few stock texts with one number changed; every repetition after the
first is one. Contamination: problems of the demo's test set are planted among clean ones in seven disguises. Poor
samples: those whose text allows several answers, or whose worked output is wrong. All problems are written by the
scripted instructor in this process; asks nobody else. Prints Markdown tables.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sdrl.embedded.embedder import embed
from sdrl.embedded.instructor import ScriptedInstructor
from sdrl.embedded.problems import INSTRUCTOR, TEMPLATES, read_problem
from sdrl.embedded.protocol import Chat, Message, Sampling
from sdrl.filters import FilterState, apply_filters
from sdrl.spec.locate import specs_dir
from sdrl.spec.model import FilterStep

TASK = (
    "<task>\nQuestion answering about everyday arithmetic.\n</task>\n"
    "<output_format>\nEnd with #### and a number.\n</output_format>\n"
)
_NUMBER = re.compile(r"\d+")
_NAMES = ("Tom", "Ana", "Paul", "Lena", "Kofi", "Mira", "Jonas", "Nora", "Dan", "Ruth")
Row = dict[str, Any]


def written(samples: int) -> list[Row]:
    """Problems by the scripted instructor, with the flags of its truth file."""
    passages = [
        json.loads(line)["text"] for line in (specs_dir() / "passages/everyday.jsonl").read_text("utf-8").splitlines()
    ]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.jsonl"
        instructor = ScriptedInstructor.with_rates({"invalid_json": 0}, truth)
        for at in range(samples):
            prompt = f"{TASK}<passage>\n{passages[at % len(passages)]}\n</passage>"
            reply = ask(instructor, "generate", prompt, at)
            rows.append({"id": str(at), **reply})
        known = {each["input"]: each for each in map(json.loads, truth.read_text("utf-8").splitlines())}
    return [{**row, "flags": known[row["input"]]["flags"], "gold": known[row["input"]]["gold"]} for row in rows]


def ask(instructor: ScriptedInstructor, skill: str, prompt: str, seed: int) -> Row:
    """One reply of a skill; a judgement is by the rubric's numbers."""
    types: dict[str, Any] = {"input": {"type": "string"}, "output": {"type": "string"}}
    if skill == "judge":
        types = {"score": {"type": "integer", "enum": [6, 5, 4, 3, 2, 1]}, "reason": {"type": "string"}}
    schema = {"type": "object", "properties": types}
    sampling = Sampling(n=1, temperature=0.7, top_p=1.0, top_k=0, max_tokens=512, stop=(), seed=seed)
    reply = instructor.chat(Chat("fake", (Message("user", prompt),), sampling, skill, schema))
    found: Row = json.loads(reply.rows[0].text)
    return found


def quality(dropped: set[str], bad: set[str]) -> str:
    """Precision and recall as cells of a table."""
    caught = len(dropped & bad)
    precision = f"{caught / len(dropped):.1%}" if dropped else "–"
    return f"{len(dropped)} | {caught} of {len(bad)} | {precision} | {caught / len(bad):.1%}"


def by_filter(step: FilterStep, rows: Sequence[Row], state: FilterState | None = None) -> tuple[set[str], float]:
    """The ids that one filter drops, and seconds of CPU a thousand samples."""
    began = time.process_time()
    found = apply_filters([step], rows, state or FilterState()).dropped
    return {drop.sample["id"] for drop in found}, (time.process_time() - began) / len(rows) * 1000


def near_duplicates(rows: Sequence[Row]) -> None:
    """Repetitions of stock texts."""
    stock: set[str] = set()
    bad: set[str] = set()
    for row in rows:
        if "near_duplicate" in row["flags"]:
            text = _NUMBER.sub("#", row["input"])
            if text in stock:
                bad.add(row["id"])
            stock.add(text)
    print("| near duplicates | dropped | caught | precision | recall | CPU a 1,000 |\n|---|---|---|---|---|---|")
    steps = [FilterStep(duplicates=True), *(FilterStep(rouge_l=at) for at in (0.6, 0.7, 0.8, 0.9))]
    steps += [FilterStep(minhash=at) for at in (0.4, 0.5, 0.6, 0.7, 0.8)]
    steps += [FilterStep(embedding=at) for at in (0.85, 0.9, 0.95, 0.99)]
    vectors = {row["input"]: embed(row["input"]) for row in rows}
    for step in steps:
        state = FilterState()
        state.learn(vectors)
        dropped, seconds = by_filter(step, rows, state)
        print(f"| {step.name}: {getattr(step, step.name)} | {quality(dropped, bad)} | {seconds:.2f} s |")


def renamed(text: str, luck: random.Random) -> str:
    """Every name of a person changed."""
    names = dict(zip(_NAMES, luck.sample(_NAMES, len(_NAMES)), strict=True))
    return re.sub("|".join(_NAMES), lambda match: names[match[0]], text)


def other_question(text: str, luck: random.Random) -> str:
    """The last sentence said otherwise, where the problem can be read; else a plain question."""
    problem = read_problem(text)
    if problem is None:
        return text.rsplit(". ", 1)[0] + ". What is the result?"
    questions = [each for each in TEMPLATES if each.family == INSTRUCTOR and each.kind == "question"]
    asked = luck.choice(questions).text.format(**problem.slots)
    return " ".join((*(sentence.text for sentence in problem.sentences[:-1]), asked))


DISGUISES: dict[str, Callable[[str, random.Random], str]] = {
    "as it stands": lambda text, luck: text,
    "other case, spacing and marks": lambda text, luck: text.upper().replace(". ", " .\n "),
    "inside a longer text": lambda text, luck: f"Read the story with care, then answer. {text} Think before you write.",
    "the last question said otherwise": other_question,
    "one number changed": lambda text, luck: _NUMBER.sub(lambda m: str(int(m[0]) + 1), text, count=1),
    "every number changed": lambda text, luck: _NUMBER.sub(lambda m: str(int(m[0]) + luck.randint(1, 9)), text),
    "names changed": renamed,
}


def contamination(rows: Sequence[Row]) -> None:
    """Planted problems of the demo's test set."""
    lines = (specs_dir() / "data/word-problems-test.jsonl").read_text("utf-8").splitlines()
    tests = [json.loads(line)["question"] for line in lines]
    luck = random.Random(2)
    clean = [row for row in rows if "near_duplicate" not in row["flags"]]
    steps = [FilterStep(decontaminate=True), *(FilterStep(decontaminate_embedding=at) for at in (0.8, 0.85, 0.9, 0.95))]
    names = [f"{step.name.replace('_', ' ')}: {getattr(step, step.name)}".replace(": True", "") for step in steps]
    print(f"\n| disguise of a test problem | planted | {' | '.join(names)} |\n|{'---|' * (2 + len(steps))}")
    known = {text: embed(text) for text in tests}

    def caught(planted: Sequence[Row]) -> str:
        found = []
        for step in steps:
            state = FilterState({"test": tests})
            state.learn(known | {row["input"]: embed(row["input"]) for row in planted})
            found.append(str(len(by_filter(step, planted, state)[0])))
        return " | ".join(found)

    for name, change in DISGUISES.items():
        planted = [{"id": f"t{at}", "input": change(text, luck)} for at, text in enumerate(luck.sample(tests, 100))]
        print(f"| {name} | 100 | {caught(planted)} |")
    print(f"| (clean samples: dropped by mistake) | {len(clean)} | {caught(clean)} |")


def grades(rows: Sequence[Row]) -> None:
    """Poor samples by the instructor's own grade, which errs as its beliefs do."""
    instructor = ScriptedInstructor.with_rates({}, None)
    bad, graded = set(), []
    for at, row in enumerate(rows):
        is_wrong = not row["output"].rstrip().endswith(f"#### {row['gold']}")
        if is_wrong or "ambiguous" in row["flags"]:
            bad.add(row["id"])
        sample = f"<sample>\n<input>\n{row['input']}\n</input>\n<output>\n{row['output']}\n</output>\n</sample>"
        try:
            grade = ask(instructor, "judge", TASK + sample, at)
        except ValueError:
            grade = None
        graded.append({**row, "grade": grade})
    print("\n| poor samples | dropped | caught | precision | recall |\n|---|---|---|---|---|")
    dropped, _ = by_filter(FilterStep(judge=4), graded)
    print(f"| judge: 4 | {quality(dropped, bad)} |")


def main(samples: int) -> None:
    """Print the tables."""
    rows = written(samples)
    print(f"{samples} problems\n")
    near_duplicates(rows)
    contamination(rows)
    grades(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
