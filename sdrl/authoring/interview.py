"""The guided interview: one question after the other until a spec is whole. Scripted, labelled so, and no model.

A question is asked while its key is not written and was not skipped, so that the interview can be left, the spec edited
by hand, and the interview taken up where it is. Each answer becomes edits (or, for the answer table, a card). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdrl.authoring.document import value_at
from sdrl.authoring.propose import read_options
from sdrl.spec.edits import Edit

Written = Mapping[str, Any]
Draft = Mapping[str, str]
NO = ("-", "no", "none", "skip", "n")
NAME_WORDS, NAME_LENGTH, LICENSE_WORDS = 5, 40, 4
MOST_LINES, MOST_LENGTH = 20, 3000  # of an answer; the inputs and outputs of examples may be longer
PASSAGES = (".jsonl", ".parquet", ".txt", ".md")
PRODUCTS = (
    "chatgpt",
    "openai",
    "gpt",
    "claude",
    "anthropic",
    "gemini",
    "google",
    "llama",
    "mistral",
    "deepseek",
    "qwen",
)
READABLE = (
    "Answers can be read after a mark (####, Answer:), between tags (<answer> and </answer>), in \\boxed{}, from a "
    "field of a JSON object, as the last number, or be the whole output."
)
_DATA_FILE = re.compile(r"\S+\.(jsonl?|csv|parquet|txt|md|ya?ml)", re.IGNORECASE)
_SECRET = re.compile(r"(?:sk|pk|hf|gsk|xai|key)[-_][A-Za-z0-9_-]{16,}|[A-Za-z0-9]{40,}")


@dataclass(frozen=True)
class Outcome:
    """What an answer leads to. ``problem`` asks the question again; ``draft`` waits for the next question."""

    edits: tuple[Edit, ...] = ()
    say: str = ""
    problem: str = ""
    draft: Draft = field(default_factory=dict)
    proposes: str | None = None


@dataclass(frozen=True)
class Question:
    """One question. ``path`` is the key it fills: it is open while that is not written and ``when`` holds.

    ``more`` is said where a person asks back, or does not know.
    """

    key: str
    path: str
    ask: str
    read: Callable[[str, Written, Draft], Outcome]
    more: str = ""
    may_skip: bool = True
    when: Callable[[Written], bool] = lambda written: True


def _set(path: str) -> Callable[[str, Written, Draft], Outcome]:
    return lambda text, written, draft: Outcome((Edit("set", path, text),))


def _name(text: str, written: Written, draft: Draft) -> Outcome:
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not slug:
        return Outcome(problem="a name has letters or digits, such as my-task")
    if len(text.split()) > NAME_WORDS or len(slug) > NAME_LENGTH:
        if value_at(written, "task.description") is not None:
            return Outcome(problem="a name is a word or two, such as ticket-labels")
        say = "That reads like the task itself: it stands as its description now. A name is a word or two."
        return Outcome((Edit("set", "task.description", text),), say)
    said = "" if slug == text else f"written as {slug}: small letters, digits, hyphens"
    return Outcome((Edit("set", "name", slug),), said)


def _output_format(text: str, written: Written, draft: Draft) -> Outcome:
    return Outcome((Edit("set", "task.output_format", text),), proposes="")


def _answer(text: str, written: Written, draft: Draft) -> Outcome:
    return Outcome(proposes=text)


def _options(text: str, written: Written, draft: Draft) -> Outcome:
    words = read_options(text)
    if len(words) < 2:
        return Outcome(problem="name at least two options, parted by commas")
    return Outcome((Edit("set", "answer.options", words),))


def _demo_input(text: str, written: Written, draft: Draft) -> Outcome:
    return Outcome(draft={"input": text}, say="and a good output for it, written as the output format says?")


def _demo_output(text: str, written: Written, draft: Draft) -> Outcome:
    return Outcome((Edit("insert", "demos.-", {"input": draft.get("input", ""), "output": text}),))


def _license(path: str) -> Callable[[str, Written, Draft], Outcome]:
    def read(text: str, written: Written, draft: Draft) -> Outcome:
        if len(text.split()) > LICENSE_WORDS or _DATA_FILE.fullmatch(text):
            return Outcome(problem="a licence is a name, such as CC0-1.0 or CC-BY-4.0")
        return Outcome((Edit("set", path, text),))

    return read


def _corpus(text: str, written: Written, draft: Draft) -> Outcome:
    words = text.replace(",", " ").split()
    word = words[0]
    if re.fullmatch(r"[\w.-]+/[\w.-]+", word) and not re.search(r"\.\w{1,7}$", word) and len(words) <= 2:
        config = words[1:2]
        source: dict[str, Any] = {"dataset": word} | ({"config": config[0]} if config else {})
        return Outcome((Edit("set", "corpus", [source | {"limit": "200k"}]),), "a hub data set, 200k rows at most")
    if strange := [each for each in words if not each.lower().endswith(PASSAGES)]:
        folder = next((each.rstrip("/") for each in strange if "/" in each), "passages")
        what = "the files in that folder" if "/" in strange[-1] else "files or a hub data set"
        return Outcome(problem=f"name {what}, such as {folder}/*.txt ({', '.join(PASSAGES)} are read)")
    return Outcome((Edit("set", "corpus", [{"files": words}]),))


def _no_model(words: list[str]) -> str:
    """What is wrong with words that should name a model; '' where nothing is."""
    if any(_SECRET.fullmatch(word) for word in words):
        return (
            "that looks like a key itself, and a spec never holds one: put it into a variable in your shell "
            "(export OPENAI_API_KEY=…) and name the variable"
        )
    if _DATA_FILE.fullmatch(words[0]):
        return f"{words[0]} names a file of data, no model; a model is named as in gpt-4o-2024-08-06"
    if words[0].lower() in PRODUCTS:
        return f"{words[0]} is a product with many models; name one of them, such as gpt-4o-2024-08-06"
    return "" if len(words) <= 3 else "a model's name, then its address and the variable of its key where it needs them"


def _instructor(text: str, written: Written, draft: Draft) -> Outcome:
    words = text.split()
    if problem := _no_model(words):
        return Outcome(problem=problem)
    if len(words) > 1 and not words[1].startswith(("http://", "https://", "embedded")):
        return Outcome(
            problem=f"'{words[1]}' is no address: it begins with http:// or https://, as in {words[0]} http://127.0.0.1:8000/v1"
        )
    if words[0] == "embedded":
        table: dict[str, Any] = {"model": "scripted-instructor", "endpoint": "embedded"}
        base = {"model": "toy-base", "serve": "embedded"}
        edits = (Edit("set", "models.instructor", table), Edit("set", "models.base", base))
        return Outcome(edits, "the models that ship with sdrl: toy scale, no key, no cost")
    table = {"model": words[0]}
    if len(words) > 1:
        table["endpoint"] = words[1]
    table["key_env"] = words[2] if len(words) > 2 else "OPENAI_API_KEY"
    return Outcome((Edit("set", "models.instructor", table),))


def _price(text: str, written: Written, draft: Draft) -> Outcome:
    numbers = re.findall(r"\d+(?:\.\d+)?", text)
    if len(numbers) != 2:
        return Outcome(problem="two numbers: dollars a million tokens in, and out, such as 2.50 10")
    return Outcome((Edit("set", "models.instructor.price", {"input": float(numbers[0]), "output": float(numbers[1])}),))


def _base(text: str, written: Written, draft: Draft) -> Outcome:
    words = text.split()
    if problem := _no_model(words):
        return Outcome(problem=problem)
    serve = "embedded" if words[0] == "toy-base" else words[1] if len(words) > 1 else "vllm"
    base = {"model": words[0], "serve": serve, "prompt": "raw"}
    instructor = value_at(written, "models.instructor")
    # written anew as one table, which then stands over lines: keys added one by one would stay on the first one's line
    return Outcome((Edit("remove", "models"), Edit("set", "models", {"instructor": instructor, "base": base})))


def _evaluate(text: str, written: Written, draft: Draft) -> Outcome:
    words = text.split()
    is_file = re.search(r"\.(jsonl|parquet|csv|json)$", words[0]) is not None
    if not is_file and "/" not in words[0]:
        return Outcome(problem="a file such as test.jsonl, or a hub data set such as openai/gsm8k main")
    source = words[0] if is_file else f"{words[0]} {words[1] if len(words) > 1 else ''}".strip()
    say = "which field, or template of fields, is the input? For example {question}"
    return Outcome(draft={"source": source}, say=say)


def _evaluate_input(text: str, written: Written, draft: Draft) -> Outcome:
    template = text if "{" in text else f"{{{text}}}"
    return Outcome(draft={**draft, "input": template}, say="and which field holds the gold? For example answer")


def _evaluate_gold(text: str, written: Written, draft: Draft) -> Outcome:
    name, _, marker = text.partition(" after ")
    gold: dict[str, Any] = {"field": name.strip()}
    if marker.strip():
        gold["extract"] = {"marker": marker.strip().strip("'\"")}
    source, _, config = draft.get("source", "").partition(" ")
    where: dict[str, Any] = {"dataset": source} if "/" in source and "." not in source else {"file": source}
    if where.get("dataset") and config:
        where["config"] = config
    row = {"name": "test", **where, "input": draft.get("input", "{input}"), "gold": gold}
    return Outcome((Edit("set", "evaluate", [row]),))


def _budget(text: str, written: Written, draft: Draft) -> Outcome:
    number = re.search(r"\d+(?:\.\d+)?", text.replace(",", ""))
    if number is None:
        return Outcome(problem="a number: dollars, or 'N requests'")
    value = float(number[0])
    key = "requests" if "request" in text.lower() else "usd"
    return Outcome((Edit("set", f"budget.{key}", int(value) if value == int(value) else value),))


def _needs_options(written: Written) -> bool:
    return value_at(written, "answer.type") in ("choice", "label", "set")


def _has_answer(written: Written) -> bool:
    return value_at(written, "answer.extract") is not None


def _costs(written: Written) -> bool:
    return value_at(written, "models.instructor.endpoint") != "embedded" and _has(written, "models.instructor")


def _has(written: Written, path: str) -> bool:
    return value_at(written, path) is not None


QUESTIONS: tuple[Question, ...] = (
    Question("name", "name", "What shall the spec be called? A word or two, such as ticket-labels.", _name,
             "The name of the task, for its file, its runs and reports. What the task is comes next.", may_skip=False),
    Question("description", "task.description",
             "What is the task? First its type, then its domain, then the skill it takes. For example: Classification "
             "of support tickets of a shop. It takes understanding what the customer wants.",
             _set("task.description"),
             "It stands in every prompt: say in a sentence or two what somebody who does the task has to do.",
             may_skip=False),
    Question("input_format", "task.input_format",
             "What does an input look like? In a sentence, such as: One message of a customer. (- where there is "
             "nothing to say)", _set("task.input_format"),
             "It describes the form of one input. The texts themselves belong into files, which are asked for later."),
    Question("output_format", "task.output_format",
             "What must an output look like, and where does the answer stand in it? "
             "For example: Think step by step and write the final answer as a number after ####.",
             _output_format,
             "Whoever solves the task is told this word for word, and the verifier looks for the answer there. "
             f"{READABLE}", may_skip=False),
    Question("answer", "answer.extract",
             "Is that how answers are read? 'yes' takes the card over; or say what the answer is, "
             "such as: a label in <answer>: spam or ham", _answer,
             f"Say what an answer is, and where it stands. {READABLE}", may_skip=False),
    Question("options", "answer.options", "Which options are there? Parted by commas.", _options,
             "All answers that may be right, such as: billing, shipping, returns, other", may_skip=False,
             when=_needs_options),
    Question("demo_input", "demos", "A worked example helps: what is its input? (- for none)", _demo_input,
             when=_has_answer),
    Question("license", "task.license",
             "Under which licence may the synthetic data be used? Such as CC0-1.0 or CC-BY-4.0. (- to leave it open)",
             _license("task.license"),
             "It is a short name from the SPDX list: CC0-1.0 asks for nothing, CC-BY-4.0 for credit. Left open, a "
             "warning reminds of it."),
    Question("corpus", "corpus",
             "Which passages shall ground the samples? Files such as passages/*.jsonl, or a hub data set such as "
             "wikimedia/wikipedia 20231101.en. (- for none)", _corpus,
             "Plain texts of the domain; labels are not needed. Each sample is written about one of them, so that "
             f"samples differ. Files lie beside the spec and end in {', '.join(PASSAGES)}; "
             "without any the model writes from memory."),
    Question("corpus_license", "corpus.0.license", "And the passages' licence? (- to leave it open)",
             _license("corpus.0.license"), "The samples repeat what the passages say, so it matters to who uses them.",
             when=lambda written: _has(written, "corpus")),
    Question("instructor", "models.instructor",
             "Which model writes the samples? MODEL [ENDPOINT] [KEY_ENV], such as gpt-4o-2024-08-06 or "
             "my-model http://127.0.0.1:8000/v1; or embedded, a toy that ships with sdrl and needs no key. "
             "(- to decide later)", _instructor,
             "A large model at any OpenAI-compatible endpoint. Without an endpoint it is OpenAI's, and the key is read "
             "from the variable OPENAI_API_KEY when a run starts; it is never written into the spec."),
    Question("price", "models.instructor.price",
             "What does it cost? Dollars a million tokens in and out: 2.50 10. (- where you do not know: costs stay "
             "unknown)", _price,
             "It stands in the provider's price list; a server of your own costs 0 0. Plan and budget are worked out "
             "from it.", when=_costs),
    Question("base", "models.base",
             "Which model is trained? MODEL [vllm, embedded or a URL], such as Qwen/Qwen2.5-1.5B, which takes a GPU; "
             "toy-base is the embedded toy.", _base,
             "The small model that learns the task: a name from the Hugging Face hub, or a folder. It is sampled by "
             "vllm on a GPU here, or by a server at a URL.", may_skip=False,
             when=lambda written: _has(written, "models.instructor")),
    Question("evaluate", "evaluate",
             "Is there a real test set, with right answers? A file such as test.jsonl, or a hub data set and its "
             "config. (- for none)", _evaluate,
             "Problems that people wrote, on which the trained model is measured. Without one a report speaks of made "
             "data only."),
    Question("budget", "budget", "What may a run cost at most? Dollars, or 'N requests'. (- for no cap)", _budget,
             "A run stops cleanly there, and can go on later. /plan shows what it is expected to cost."),
)  # fmt: skip
# asked right after the question that begins with them
FOLLOW_UPS: Mapping[str, Question] = {
    "demo_output": Question("demo_output", "demos", "The output for it?", _demo_output),
    "evaluate_input": Question("evaluate_input", "evaluate", "Which field is the input?", _evaluate_input),
    "evaluate_gold": Question("evaluate_gold", "evaluate", "Which field holds the gold?", _evaluate_gold),
}
NEXT_PART = {"demo_input": "demo_output", "evaluate": "evaluate_input", "evaluate_input": "evaluate_gold"}


def too_long(key: str, text: str) -> str:
    """Why an answer is no answer to a question because of its length; '' where it may be one."""
    lines = text.count("\n") + 1
    if key in ("demo_input", "demo_output") or (lines <= MOST_LINES and len(text) <= MOST_LENGTH):
        return ""
    size = f"{lines:,} lines with {len(text):,} characters"
    return f"{size} are more than an answer; data belong into a file beside the spec"


def question(key: str) -> Question | None:
    """A question by its key."""
    return FOLLOW_UPS.get(key) or next((each for each in QUESTIONS if each.key == key), None)


def next_question(written: Written, skipped: tuple[str, ...]) -> Question | None:
    """The first question that is still open, or None when the spec is whole."""
    for each in QUESTIONS:
        if each.key not in skipped and each.when(written) and value_at(written, each.path) is None:
            return each
    return None
