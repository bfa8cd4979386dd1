"""The stage graph: which rows a stage reads, and which values decide its rows.

A stage's hash is over its identity and its parents' hashes, so a value belongs to exactly the stages whose rows it can
change: editing ``train`` keeps every data stage, and what no row depends on (``NOT_HASHED``) changes no hash at all.
Pure: reads a draft plan, opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sdrl.compiler.canonical import digest, digest_text, flatten, hashable
from sdrl.compiler.method_use import method_of, reads_passages
from sdrl.compiler.plan import STAGES, PartPlan, Plan, StagePlan, stage_hash
from sdrl.compiler.prompts import extra_rules
from sdrl.compiler.rounds import kind_of, parents_of, round_of, stage_names
from sdrl.spec.stage_keys import ASKING
from sdrl.spec.trl_fields import TRACKING

PARENTS: dict[str, tuple[str, ...]] = {
    "keywords": (),
    "retrieve": ("keywords",),
    "pattern": (),
    "generate": ("retrieve", "pattern"),
    "vote": ("retrieve", "pattern", "generate"),  # it writes further examples for those that it drops
    "probe": ("vote",),
    "adapt": ("vote", "probe"),
    "score": ("vote", "adapt"),
    "select": ("vote", "adapt", "score"),
    "train": ("select",),
    "evaluate": ("train",),
}

# Raised when a stage's own code changes so that equal inputs give other rows.
VERSIONS: dict[str, int] = {name: 1 for name in STAGES} | {"score": 2}

_WRITING = (
    "synthesize.method",
    "synthesize.samples",
    "synthesize.attempts",
    "synthesize.demos_per_prompt",
    "synthesize.demo_probability",
    "synthesize.sampling",
    "task.language",
)
# stage -> settings (dotted, a table stands for all below it) that change its rows
SETTINGS: dict[str, tuple[str, ...]] = {
    "keywords": ("retrieve.keywords", "synthesize.sampling", "task.language"),
    "retrieve": ("retrieve.passages", "retrieve.per_sample", "retrieve.passage_words", "retrieve.shuffle"),
    "pattern": ("synthesize.pattern", "synthesize.sampling", "task.language"),
    "generate": _WRITING,
    "vote": ("vote", "filter", *_WRITING),
    "probe": ("probe", "score.sampling.max_tokens", "score.sampling.stop", "task.language"),
    "adapt": ("adapt", "vote", "filter", "synthesize.sampling", "task.language"),
    "score": ("score", "task.language"),
    "select": ("select", "validate"),
    "train": ("train", "hardware.gpus", "hardware.nodes", "score.sampling.stop", "task.language"),
    "evaluate": ("rounds", "task.language"),
}
# adaptive scoring draws until the places among those that train are settled
PLACES = (
    "select.samples",
    "select.order",
    "select.min_solved",
    "select.never_solved",
    "select.doubted",
    "select.fill",
    "validate",
)
# stage -> prompts it sends, beside those of the synthesis method in stages that write
PROMPTS: dict[str, tuple[str, ...]] = {
    "keywords": ("keywords",),
    "pattern": ("pattern",),
    "generate": (),
    "vote": ("solve",),
    "probe": ("answer",),
    "adapt": ("harder", "easier", "solve"),
    "score": ("answer",),
    "train": ("answer",),
    "evaluate": ("answer",),
}
TEXTS = ("description", "input_format", "output_format")
PART_FIELDS: dict[str, tuple[str, ...]] = {
    "keywords": (*TEXTS, "demos"),
    "pattern": (*TEXTS, "demos"),
    "generate": (*TEXTS, "demos", "share"),
    "vote": (*TEXTS, "demos", "share"),
    "probe": TEXTS,
    "adapt": TEXTS,
    "score": TEXTS,
    "train": TEXTS,
    "evaluate": TEXTS,
}
WRITTEN = ("generate", "vote")
INSTRUCTED = ("keywords", "pattern", "generate", "vote", "adapt")
ANSWERED = ("probe", "score", "train", "evaluate")
VERIFIED = ("generate", "vote", "probe", "adapt", "score", "train", "evaluate")
FILTERED = ("vote", "adapt")
EMBEDDING = ("embedding", "decontaminate_embedding")
REQUIRES: dict[str, tuple[str, ...]] = {"retrieve": ("tantivy",), "train": ("torch", "transformers", "trl")}

# settings that reach the hashes as what they were resolved to -> the identity field that holds it
RESOLVED: dict[str, str] = {
    "task.description": "parts",
    "task.input_format": "parts",
    "task.output_format": "parts",
    "params": "parts",
    "parts": "parts",
    "demos": "parts",
    "answer": "verifier",
    "prompts": "prompts",
    "corpus": "corpus",
    "evaluate": "evaluations",
    "models.instructor.model": "instructor",
    "models.instructor.api": "instructor",
    "models.instructor.structured": "instructor",
    "models.instructor.extra": "instructor",
    "models.embedder": "embedder",
    "models.base.model": "base",
    "models.base.revision": "base",
    "models.base.prompt": "base",
    "models.base.system": "base",
    "models.base.stop": "base",
    "seed": "seed",
}
# settings that change no row: names, prices, limits, places, speeds, and what is checked after the rows exist
NOT_HASHED: tuple[str, ...] = (
    "sdrl",
    "name",
    "extends",
    "task.license",
    "review",
    "models.instructor.endpoint",
    "models.instructor.key_env",
    "models.instructor.concurrency",
    "models.instructor.batch",
    "models.instructor.price",
    "models.instructor.terms",
    "models.base.serve",
    "models.base.server",
    "models.base.concurrency",
    "gate",
    "budget",
    "hardware.memory_gb",
    "lint",
)


def dump_settings(plan: Plan) -> dict[str, Any]:
    """The resolved settings as JSON values, under the names that a spec uses."""
    dumped: dict[str, Any] = plan.settings.model_dump(mode="json", by_alias=True)
    return dumped


def build_stages(draft: Plan) -> tuple[StagePlan, ...]:
    """All stages of a draft plan (whose own ``stages`` are not looked at), with identities and hashes."""
    settings = dump_settings(draft)
    stages: dict[str, StagePlan] = {}
    rounds = int(settings["rounds"])
    for name in stage_names(rounds):
        identity = stage_identity(kind_of(name), draft, settings)
        if round_of(name) > 1:
            identity["round"] = round_of(name)
        is_first = round_of(name) == 1 and name != "evaluate"
        parents = PARENTS[name] if is_first else parents_of(name, rounds)
        hash_ = stage_hash(identity, {parent: stages[parent].hash for parent in parents})
        stages[name] = StagePlan(name, identity, parents, hash_)
    return tuple(stages.values())


def stage_identity(name: str, draft: Plan, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the rows of stage ``name``: short values as they are, texts and files by sha256."""
    identity: dict[str, Any] = {
        "version": VERSIONS[name],
        "seed": settings["seed"],
        "settings": _own_settings(name, settings, draft),
    }
    if name in PROMPTS:
        identity["prompts"] = _prompts(draft, _sent(name, draft))
    if fields := PART_FIELDS.get(name):
        identity["parts"] = {part.name: _part(part, fields) for part in draft.parts}
        if len(draft.parts) > 1:  # attempts are dealt out, and problems that name no part are asked, in this order
            identity["order"] = [part.name for part in draft.parts]
    if name in INSTRUCTED:
        identity["instructor"] = _instructor(draft, settings)
    if name in ANSWERED:
        identity["base"] = _base(draft, settings)
    if name in VERIFIED:
        identity["verifier"] = digest(draft.verifier)
    if name == "retrieve":
        identity["corpus"] = _corpus(draft, settings) if reads_passages(draft) else []
    if name == "keywords":
        identity["corpus"] = reads_passages(draft)  # without a library there is nothing to search for
    if name in FILTERED:
        identity |= _compared(draft)
    if name == "evaluate" or (name in FILTERED and _decontaminates(settings)):
        identity["evaluations"] = _evaluations(draft, whole=name == "evaluate")
    if libraries := REQUIRES.get(name):
        identity["requires"] = {library: draft.requires[library] for library in libraries}
    checked: dict[str, Any] = hashable(identity)
    return checked


def _sent(name: str, draft: Plan) -> tuple[str, ...]:
    """The prompts of a stage, those of the synthesis method and of filters that ask among them."""
    written = method_of(draft).prompts if name in WRITTEN else ()
    asked = tuple(ASKING[step.name] for step in draft.settings.filter if step.is_on and step.name in ASKING)
    return tuple(dict.fromkeys((*written, *PROMPTS[name], *(asked * (name in FILTERED)))))


def _own_settings(name: str, settings: Mapping[str, Any], draft: Plan) -> dict[str, Any]:
    paths = SETTINGS[name]
    own = _chosen(settings, paths + PLACES if name == "score" and settings["score"]["adaptive"] else paths)
    if name == "pattern" and "pattern" not in method_of(draft).reads:
        own["synthesize.pattern"] = "never"
    return own


def _chosen(settings: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for path in paths:
        value: Any = settings
        for key in path.split("."):
            value = value[key]
        if path == "train":
            value = value | {"trl": {name: each for name, each in value["trl"].items() if name not in TRACKING}}
        chosen.update(flatten(value, path))
    return chosen


def _prompts(draft: Plan, names: Sequence[str]) -> dict[str, Any]:
    rules = extra_rules(draft.settings.prompts)
    sources = {name: digest_text(draft.templates[name]) for name in names}
    return sources | {f"{name}.extra_rules": rules[name] for name in names if name in rules}


def _part(part: PartPlan, fields: Sequence[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for field in fields:
        value = getattr(part, field)
        if field == "demos":
            chosen[field] = [digest(demo.to_dict()) for demo in value]
        else:
            chosen[field] = digest_text(value) if isinstance(value, str) else value
    return chosen


def _instructor(draft: Plan, settings: Mapping[str, Any]) -> dict[str, Any]:
    if not settings["models"]:
        return {"model": ""}
    instructor = settings["models"]["instructor"]
    return {"model": draft.identities["instructor"]} | {key: instructor[key] for key in ("api", "structured", "extra")}


def _base(draft: Plan, settings: Mapping[str, Any]) -> dict[str, Any]:
    base = draft.base
    blocks = [settings["score"]["sampling"], *(evaluation.sampling for evaluation in draft.evaluations)]
    is_open = any(block.get("max_tokens") is None for block in blocks)
    return {
        "model": draft.identities.get("base", ""),
        "prompt": base.kind,
        "chat_template": None if base.chat_template is None else digest_text(base.chat_template),
        "tokens": base.tokens,
        "system": base.system,
        "stop": base.stop,
        "end_ids": base.end_ids,
        "options": base.options,
        "keeps_bos": base.keeps_bos,
        # where a limit is left open, the rollouts' is taken
        "max_tokens": settings["train"]["max_completion_tokens"] if is_open else None,
    }


def _corpus(draft: Plan, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Contents in order, with how they are read; paths and licences do not change a passage."""
    files: list[dict[str, Any]] = []
    for file in draft.corpus:
        source = settings["corpus"][file.source]
        how = {key: source[key] for key in ("text", "title", "limit")}
        files.append({"sha256": file.sha256 or f"pending {file.path}", **how})
    return files


def _evaluations(draft: Plan, *, whole: bool) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for evaluation in draft.evaluations:
        rows: dict[str, Any] = {"sha256": evaluation.sha256 or f"pending {evaluation.file}"}
        if whole:
            rows |= {"shift": evaluation.shift, "runs": evaluation.runs, "sampling": evaluation.sampling}
        chosen[evaluation.name] = rows
    return chosen


def _compared(draft: Plan) -> dict[str, Any]:
    """Who makes the vectors, where a filter compares by them."""
    is_asked = any(step.is_on and step.name in EMBEDDING for step in draft.settings.filter)
    return {"embedder": draft.identities.get("embedder", "")} if is_asked else {}


def _decontaminates(settings: Mapping[str, Any]) -> bool:
    return any(step.get("decontaminate") or step.get("decontaminate_embedding") for step in settings["filter"])
