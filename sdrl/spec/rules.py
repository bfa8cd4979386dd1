"""Cross-field rules (E3xx and prices, E511): what no single key can know.

A rule says which tables it reads and is skipped when one of these has a value that cannot be used, so that one mistake
is one message. Rules look at the spec and at the templates it names; whether data files can be read is the compiler's
business (E54x), because a file may be brought later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sdrl.spec.answer_rules import answer_rules, demo_rules
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.method_rules import method_rules
from sdrl.spec.model import Spec
from sdrl.spec.nearest import closest
from sdrl.spec.patterns import pattern_rules
from sdrl.spec.reading import Path, shortened
from sdrl.spec.stage_keys import FILTERS
from sdrl.spec.train_rules import train_rules

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
Rule = Callable[["Loaded", Spec], Findings]
PLACEHOLDER = re.compile(r"(?<![\w\\}{])\{([A-Za-z_]\w*)\}(?!\})")  # {{name}} is the text {name}
_ADDRESS = re.compile(r"https?://[^/\s]\S*", re.IGNORECASE)
_WRAPPED_VARIABLE = re.compile(r"(?:\$\{?|env[:.]|os\.environ/|%)([A-Z][A-Z0-9_]*)[}%]?")
_HUB_PAGE = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:datasets/)?([\w.-]+/[\w.-]+)(?:/.*)?")
_FIELD = re.compile(r"(?<!\{)\{([^{}\n]+)\}(?!\})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MOST_NAME_BYTES = 255  # of every file system that matters
TASK_TEXTS = ("description", "input_format", "output_format")


def check(loaded: Loaded, bad: set[Path]) -> list[Diagnostic]:
    """All broken rules; rules that would read a bad value are skipped."""
    spec = loaded.spec
    assert spec is not None  # the loader's draft
    spoiled = {str(path[0]) for path in bad if path}
    found: list[Diagnostic] = []
    for rule, reads in _RULES:
        if not spoiled & set(reads):
            found += rule(loaded, spec)
    return found


def _params(loaded: Loaded, spec: Spec) -> Findings:
    for key in TASK_TEXTS:
        text = getattr(spec.task, key) or ""
        for name in dict.fromkeys(PLACEHOLDER.findall(text)):
            lacking = [part.name for part in spec.parts if name not in part.params and name not in spec.params]
            if (spec.parts and not lacking) or name in spec.params:
                continue
            known = [*spec.params, *(known for part in spec.parts for known in part.params)]
            near = closest(name, known) if name not in known else None
            who = f" in part {lacking[0]}" if lacking and len(lacking) < len(spec.parts) else ""
            advice = (
                f"did you mean '{{{near}}}'?" if near else f"define it: params: {{{name}: …}}, or write '{{ {name} }}'"
            )
            yield loaded.diagnostic(
                "E310", f"task.{key}", f"{{{name}}} has no value{who}", help=advice, found=f"{{{name}}}"
            )


def _unique(loaded: Loaded, spec: Spec) -> Findings:
    lists: list[tuple[str, str, list[str]]] = [("E311", "parts", [part.name for part in spec.parts])]
    lists.append(("E312", "evaluate", [evaluation.name for evaluation in spec.evaluate]))
    for code, key, names in lists:
        for index, name in enumerate(names):
            if name in names[:index]:
                message = f"the name '{name}' is taken by {key}.{names.index(name)}"
                yield loaded.diagnostic(code, f"{key}.{index}.name", message, help="give each its own name", found=name)


def _shares(loaded: Loaded, spec: Spec) -> Findings:
    given = [part.share for part in spec.parts if part.share is not None]
    if sum(given) > 1 + 1e-9:
        message = f"the shares of the parts sum to {sum(given):g}"
        yield loaded.diagnostic(
            "E313", "parts", message, help="let them sum to at most 1; parts without one share the rest"
        )
    elif given and len(given) == len(spec.parts) and sum(given) < 1 - 1e-9:
        message = f"the shares of all parts sum to {sum(given):g}, not 1"
        yield loaded.diagnostic("E313", "parts", message, help="let them sum to 1, or leave one part without a share")


def _sources(loaded: Loaded, spec: Spec) -> Findings:
    places = [(f"corpus.{index}", source.files, source.dataset) for index, source in enumerate(spec.corpus)]
    for index, evaluation in enumerate(spec.evaluate):
        places.append((f"evaluate.{index}", [evaluation.file] if evaluation.file else None, evaluation.dataset))
    for path, demos in [
        ("demos", spec.demos),
        *((f"parts.{i}.demos", part.demos) for i, part in enumerate(spec.parts)),
    ]:
        if demos is not None and not isinstance(demos, list):
            places.append((path, demos.files, demos.dataset))
    for path, files, dataset in places:
        one = "file" if path.startswith("evaluate") else "files"
        if files is None and dataset is None:
            message = f"{path} names no source"
            yield loaded.diagnostic("E314", path, message, help=f"add '{one}' (paths) or 'dataset' (owner/name)")
        elif files is not None and dataset is not None:
            message = f"{path} names both '{one}' and 'dataset'"
            yield loaded.diagnostic("E314", f"{path}.dataset", message, help="keep one of them")
        elif files == []:
            yield loaded.diagnostic("E314", f"{path}.files", f"{path}.files is empty", help="name at least one file")


def _filters(loaded: Loaded, spec: Spec) -> Findings:
    for index, step in enumerate(spec.filter):
        named = [key for key in FILTERS if getattr(step, key) is not None]
        if len(named) != 1:
            message = f"filter.{index} names {len(named) or 'no'} filter{'s' if len(named) != 1 else ''}"
            advice = f"one list item each: {', '.join(FILTERS)}"
            yield loaded.diagnostic("E315", f"filter.{index}", message, help=advice)
        elif "embedding" in step.name and (spec.models is not None and spec.models.embedder is None):
            message = f"the filter {step.name} compares vectors, and the spec names no model that makes them"
            advice = (
                "add models.embedder: {model: …, endpoint: …}, or {model: hashed-words, endpoint: embedded} offline"
            )
            yield loaded.diagnostic("E327", f"filter.{index}.{step.name}", message, help=advice)


def _templates(loaded: Loaded, spec: Spec) -> Findings:
    for name, prompt in spec.prompts.items():
        path = f"prompts.{name}"
        if prompt.file is None and not prompt.extra_rules:
            yield loaded.diagnostic("E316", path, f"{path} changes nothing", help="add 'file' or 'extra_rules'")
        if prompt.file is not None and not _is_file(loaded, prompt.file):
            message = f"there is no template '{prompt.file}'"
            advice = f"paths start at the spec's folder: {loaded.folder}"
            yield loaded.diagnostic("E303", f"{path}.file", message, help=advice, found=prompt.file)


def _is_file(loaded: Loaded, name: str) -> bool:
    try:
        return (loaded.folder / name).is_file()
    except (OSError, ValueError):  # a name no file system takes
        return False


def _numbers(loaded: Loaded, spec: Spec) -> Findings:
    attempts, samples = spec.synthesize.attempts, spec.synthesize.samples
    if attempts is not None and attempts < samples:
        message = f"{attempts} attempts cannot give {samples} samples"
        yield loaded.diagnostic("E330", "synthesize.attempts", message, help=f"raise attempts to {samples} or more")
    if spec.select.min > spec.select.samples:
        message = f"at least {spec.select.min} of {spec.select.samples} samples can never be"
        yield loaded.diagnostic(
            "E330", "select.min", message, help=f"lower select.min to {spec.select.samples} or less"
        )
    if spec.select.min_solved > spec.score.draws:
        message = f"no sample is solved {spec.select.min_solved} times in {spec.score.draws} draws"
        yield loaded.diagnostic("E330", "select.min_solved", message, help="lower it, or raise score.draws")
    if spec.train.early_stop is not None and spec.validate_.share == 0 and "early_stop" in _written(loaded, "train"):
        message = "early stopping watches the validation split, and validate.share is 0"
        yield loaded.diagnostic(
            "E331", "train.early_stop", message, help="write train.early_stop: null, or raise the share"
        )
    rollout = spec.train.sampling.max_tokens
    if rollout is not None and rollout != spec.train.max_completion_tokens:
        message = f"rollouts cannot be {rollout} and {spec.train.max_completion_tokens} tokens long"
        yield loaded.diagnostic(
            "E330", "train.sampling.max_tokens", message, help="write train.max_completion_tokens alone"
        )
    for key in ("temperature", "top_p"):  # a trainer has no default of its own to fall back on
        if not getattr(spec.train.sampling, key):
            message = f"a group of rollouts cannot differ without a {key} above 0"
            yield loaded.diagnostic(
                "E330", f"train.sampling.{key}", message, help=f"write a {key} above 0, or leave the key out"
            )


def _written(loaded: Loaded, table: str) -> dict[str, object]:
    written = loaded.written.get(table)
    return written if isinstance(written, dict) else {}


def _gate(loaded: Loaded, spec: Spec) -> Findings:
    if spec.gate is not None and not spec.evaluate:
        message = "a gate needs something to measure"
        yield loaded.diagnostic(
            "E332", "gate", message, help="add an evaluation set under 'evaluate', or remove the gate"
        )


def _addresses(loaded: Loaded, spec: Spec) -> Findings:
    if spec.models is None:
        return
    instructor, base = spec.models.instructor, spec.models.base
    embedder = spec.models.embedder
    for path, address, words in (
        ("models.instructor.endpoint", instructor.endpoint, ("vllm", "embedded")),
        ("models.base.serve", base.serve, ("vllm", "embedded")),
        *([("models.embedder.endpoint", embedder.endpoint, ("embedded",))] if embedder else []),
    ):
        several = address.split() if path == "models.base.serve" else [address]
        if address not in words and not all(_ADDRESS.fullmatch(each) for each in several or [address]):
            near = closest(address, list(words))
            advice = f"did you mean '{near}'?" if near else f"write http://… or https://…, or {' or '.join(words)}"
            yield loaded.diagnostic("E207", path, f"{path} cannot be '{address}'", help=advice)
    for role, variable in (("instructor", instructor.key_env), ("embedder", embedder.key_env if embedder else None)):
        if variable is None or _VARIABLE.fullmatch(variable):
            continue
        path = f"models.{role}.key_env"  # the value is not repeated: it may be the key itself
        advice = "name the variable, for example OPENAI_API_KEY, and keep the key itself out of the spec"
        if bare := _WRAPPED_VARIABLE.fullmatch(variable):
            advice = f"write the name alone: {bare[1]}"
        yield loaded.diagnostic("E207", path, f"{path} is not the name of an environment variable", help=advice)


def _names(loaded: Loaded, spec: Spec) -> Findings:
    """Names of files, models and data sets that no system could hold, and addresses of their pages."""
    for path, name in _named(spec):
        if any(len(part.encode("utf-8", "replace")) > MOST_NAME_BYTES for part in name.split("/")) or len(name) > 4000:
            yield loaded.diagnostic("E207", path, f"{path} is longer than any file's name", help="check the name")
        elif page := _HUB_PAGE.fullmatch(name):
            yield loaded.diagnostic("E207", path, f"{path} is a web address, not a name", help=f"write {page[1]}")
        elif not name.isprintable():
            yield loaded.diagnostic("E207", path, f"{path} holds a line break or control character", help="delete it")


def _field_templates(loaded: Loaded, spec: Spec) -> Findings:
    """E318: a field template that names no field makes all rows the same."""
    places = [(f"evaluate.{index}.input", each.input) for index, each in enumerate(spec.evaluate)]
    lists = [("demos", spec.demos), *((f"parts.{index}.demos", part.demos) for index, part in enumerate(spec.parts))]
    for path, demos in lists:
        if demos is not None and not isinstance(demos, list):
            places += [(f"{path}.input", demos.input), (f"{path}.output", demos.output)]
    for path, template in places:
        if _FIELD.search(template):
            continue
        word = template.strip("{} ")
        advice = f'write "{{{word}}}"' if word.isidentifier() else 'name a field in single braces: "{question}"'
        message = f"{path} names no field of the row: every row would read '{shortened(template)}'"
        yield loaded.diagnostic("E318", path, message, help=advice)


def _named(spec: Spec) -> Iterator[tuple[str, str]]:
    sources: list[tuple[str, object]] = [(f"corpus.{index}", each) for index, each in enumerate(spec.corpus)]
    sources += [(f"evaluate.{index}", each) for index, each in enumerate(spec.evaluate)]
    sources += [("demos", spec.demos), *((f"parts.{index}.demos", part.demos) for index, part in enumerate(spec.parts))]
    sources += [(f"prompts.{name}", prompt) for name, prompt in spec.prompts.items()]
    if spec.models is not None:
        sources += [("models.instructor", spec.models.instructor), ("models.base", spec.models.base)]
    for path, source in sources:
        for index, file in enumerate(getattr(source, "files", None) or ()):
            yield f"{path}.files.{index}", str(file)
        for key in ("file", "dataset", "model"):
            if isinstance(value := getattr(source, key, None), str):
                yield f"{path}.{key}", value


def _prices(loaded: Loaded, spec: Spec) -> Findings:
    if spec.budget.usd is None or spec.models is None:
        return
    instructor = spec.models.instructor
    if instructor.price is None and not instructor.is_embedded:
        message = f"a cap of {spec.budget.usd:g} dollars cannot be kept: the price of '{instructor.model}' is unknown"
        advice = (
            "add models.instructor.price: {input: …, output: …} (dollars a million tokens), or cap requests or tokens"
        )
        yield loaded.diagnostic("E511", "budget.usd", message, help=advice)


def _silenced(loaded: Loaded, spec: Spec) -> Findings:
    if not spec.lint.ignore:
        return  # the table of codes is read by specs that silence something alone
    from sdrl.spec.codes import CODES

    for index, item in enumerate(spec.lint.ignore):
        code = item if isinstance(item, str) else item.code
        if code not in CODES:
            path = f"lint.ignore.{index}" + ("" if isinstance(item, str) else ".code")
            near = closest(code, [known for known in CODES if known.startswith("W")])
            advice = f"did you mean '{near}'?" if near else "the code stands before the warning's text"
            yield loaded.diagnostic("E340", path, f"there is no warning {code}", help=advice, found=code)


_RULES: tuple[tuple[Rule, tuple[str, ...]], ...] = (
    (_params, ("task", "params", "parts")),
    (_unique, ("parts", "evaluate")),
    (_shares, ("parts",)),
    (answer_rules, ("answer",)),
    (pattern_rules, ("answer", "evaluate")),
    (demo_rules, ("answer", "demos", "parts")),
    (_sources, ("corpus", "evaluate", "demos", "parts")),
    (_field_templates, ("evaluate", "demos", "parts")),
    (_filters, ("filter",)),
    (_templates, ("prompts",)),
    (_numbers, ("synthesize", "select", "score", "train", "validate")),
    (train_rules, ("train",)),
    (method_rules, ("synthesize", "demos", "parts", "corpus", "prompts", "models")),
    (_gate, ("gate", "evaluate")),
    (_addresses, ("models",)),
    (_prices, ("budget", "models")),
    (_names, ("corpus", "evaluate", "demos", "parts", "prompts", "models")),
    (_silenced, ("lint",)),
)
