"""The synthesis methods as data: which prompts each one sends, what it starts from, what a sample costs.

A method is a variant of the generate stage. What is said here decides prompts, hashes, estimate and checks at compile
time; how a method fills its prompts is a module of the same name in ``sdrl.methods``. Data only, and lookups in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sdrl.spec.method import Method, Step

GROUNDED = "grounded"
# What every method may ask: the prompts of Algorithm 1's other stages.
PROMPT_NAMES = ("keywords", "pattern", "generate", "solve", "harder", "easier", "judge", "tags", "answer")
_GROUNDED_STEPS = (Step("generate", ("demos", "pattern", "passage"), ("task",)),)
_GROUNDED_READS = ("passages", "pattern", "demos")
_METAMATH = "metamath"  # the folder of its four methods' templates
_REASON = Step("reason", ("demos", "problem", "options"), ("problem",), reply={"output": "text"}, size=0.8)
_NUMBERS = ("number", "math")
_BACKWARD = (
    "the vote must find the masked number too; the paper asks once",
    "where the question has an x of its own, the unknown is the next letter that it lacks",
    "numbers that stand as words are masked from two to twenty, and in English alone",
)
# Languages that a backward question can be asked in: sdrl.compiler.backward has the sentences.
ASKED_IN = ("de", "en", "es", "fr", "it", "pt", "zh")
_ROWS = (
    Method(
        GROUNDED,
        does="one passage, the demos' pattern, a few demos and the definition make one new example",
        source="arXiv 2505.17063, section 4.1",
        steps=_GROUNDED_STEPS,
        reads=_GROUNDED_READS,
        scripted=True,
    ),
    Method(
        "self-instruct",
        does="a pool of examples that grows with what it brings: each prompt shows a few of it and asks for a new one",
        source="arXiv 2212.10560, section 3",
        departures=(
            "the pool holds examples of one task, not tasks",
            "answers are given first in turn, so that all are as frequent, where the original lets the model choose",
            "the pool grows after a wave of attempts, not after each",
            "the label is the vote's",
        ),
        steps=(Step("generate", ("demos", "label"), ("demos",)),),
        needs=("demos",),
        reads=("demos",),
        pool=True,
    ),
    Method(
        "targen",
        does="from the definition alone: contexts, instance seeds in them, an instance of a seed, one self-correction",
        source="arXiv 2310.17876, section 3",
        departures=(
            "a request brings forty contexts and each context five seeds; these numbers are ours",
            "a later request for contexts shows those of the one before, so that it names others",
            "the answers that the spec declares are given in turn, where the paper has a prompt for every label",
            "where a task has no few answers, nothing is constrained and the input is written first",
            "the label is the vote's; the corrected output is one vote of it under `vote.include_generated`",
        ),
        steps=(
            Step(
                "contexts",
                ("earlier_contexts",),
                ("task",),
                reply={"contexts": "list"},
                shared_by="turns",
                serves=200,
                tries=3,
                size=0.8,
            ),
            Step("seeds", ("context",), ("context",), reply={"seeds": "list"}, shared_by="turns", serves=5, tries=3),
            Step("generate", ("context", "instance_seed", "label"), ("task", "instance_seed")),
            Step("correct", ("sample",), ("sample",), reply={"check": "text", "output": "text"}, size=1.5),
        ),
    ),
    Method(
        "synthllm",
        does="concepts of several passages, combined by a walk on their graph, and the passages make one new example",
        source="arXiv 2503.19551, section 3",
        departures=(
            "passages come from the task's search, where the paper filters a web crawl with classifiers",
            "the graph is of six passages, the attempt's own and the five most alike of twelve, not of all",
            "the walk starts in the attempt's own passage, and goes on in the most alike where no concept links two",
            "one question with its output, where the paper asks for up to three and answers them apart",
            "the label is the vote's",
        ),
        steps=(
            Step(
                "concepts",
                ("passage",),
                ("passage",),
                reply={"topics": "list", "concepts": "list"},
                shared_by="passage",
                serves=12,
                tries=3,
                size=0.3,
            ),
            Step("generate", ("topics", "concepts", "passage", "other_passage"), ("concepts", "passage")),
        ),
        needs=("corpus",),
        reads=("passages",),
    ),
    Method(
        "metamath-rephrase",
        does="a demo's question in other words; kept where it still has the demo's answer when it is worked out anew",
        source="arXiv 2309.12284, section 3.2",
        departures=(
            "two rephrasings are shown to the model, not many, and they are of no task in particular",
            "the vote must find the demo's answer too; the paper asks once",
        ),
        steps=(
            Step("reword", ("input", "options"), ("input",), reply={"question": "text"}, size=0.5),
            _REASON,
        ),
        needs=("demos",),
        reads=("demos",),
        of_demo=True,
        folder=_METAMATH,
    ),
    Method(
        "metamath-answers",
        does="a new worked solution of a demo's own question, kept where its answer is the demo's",
        source="arXiv 2309.12284, section 3.1",
        departures=(
            "a solution that equals an earlier one of its question is dropped, by the filter `duplicates`",
            "the vote must find the demo's answer too; the paper asks once",
        ),
        steps=(_REASON,),
        needs=("demos",),
        reads=("demos",),
        of_demo=True,
        repeats=True,
        folder=_METAMATH,
    ),
    Method(
        "metamath-self-verification",
        does="a demo's question and answer as a statement with an unknown for one number; the new question asks for it",
        source="arXiv 2309.12284, section 3.3",
        departures=(
            *_BACKWARD,
            "the number is masked before the model sees the question, so that the statement cannot give it away",
            "a statement without the unknown or without the answer is refused before it is worked out",
        ),
        steps=(
            Step(
                "declare",
                ("masked_question", "unknown", "value"),
                ("masked_question", "unknown", "value"),
                reply={"statement": "text"},
                size=0.5,
            ),
            _REASON,
        ),
        needs=("demos",),
        reads=("demos",),
        of_demo=True,
        folder=_METAMATH,
        answers=_NUMBERS,
        languages=ASKED_IN,
    ),
    Method(
        "metamath-fobar",
        does="a demo's question with an unknown for one number, and its answer; the new question asks for the unknown",
        source="arXiv 2309.12284, section 3.3",
        departures=(*_BACKWARD, "each number of a demo is asked for once: more attempts are refused and cost nothing"),
        steps=(_REASON,),
        needs=("demos",),
        reads=("demos",),
        of_demo=True,
        once=True,
        folder=_METAMATH,
        answers=_NUMBERS,
        languages=ASKED_IN,
    ),
    Method(
        "back-translation",
        does="a good output is drawn from a passage, the input that it answers is written, and pairs rated low drop",
        source="arXiv 2308.06259, sections 2.2 and 2.3",
        departures=(
            "an output is drawn from a passage in the task's form; the paper takes pieces of web pages as they stand",
            "the instructor writes inputs and ratings; the paper trains models for both, and anew for a second pass",
            "the scale asks whether the output answers the input; the paper's asks for an assistant's tone as well",
            "where a task has few answers they are given in turn, so that all are as frequent",
        ),
        steps=(
            Step("response", ("passage", "demos", "label"), ("passage",), reply={"output": "text"}, size=0.8),
            Step(
                "instruction",
                ("output", "passage", "demos"),
                ("output",),
                reply={"input": "text", "options": "options"},
                size=0.6,
            ),
            Step("rating", ("sample",), ("sample",), reply={"reason": "text", "score": "whole"}, size=0.5),
        ),
        needs=("corpus",),
        reads=("passages", "demos"),
    ),
    Method(
        "extract-and-refine",
        does="questions with answers that stand in a passage are copied out, then one is completed into an example",
        source="arXiv 2405.03548, sections 2.2 and 2.3",
        departures=(
            "passages are found by keywords, where the paper trains a classifier of web pages",
            "an attempt takes one pair; the paper keeps all pairs of a document",
            "worked examples and cases with their outcome count as pairs, as encyclopaedias hold few questions",
            "the pair is brought to the task's form, and the label is the vote's",
        ),
        steps=(
            Step(
                "extract",
                ("passage",),
                ("passage",),
                reply={"pairs": "pairs"},
                asks=1.5,
                most_asks=4,
                shared_by="passage",
                size=0.8,
            ),
            Step("generate", ("question", "answer", "passage", "demos"), ("question", "answer")),
        ),
        needs=("corpus",),
        reads=("passages", "demos"),
    ),
    Method(
        "personas",
        does="audiences and forms of telling are named for the task; each example is written for one of each, in turn",
        source="Cosmopedia, Hugging Face 2024",
        departures=(
            "the instructor names audiences and forms for the task; the original has a fixed few of both",
            "an example of the task is written, where the original writes textbooks, posts and stories",
            "a passage stands for the web extract; without a corpus there is no topic beside audience and form",
            "the form of telling yields to the task's input form, and the label is the vote's",
        ),
        steps=(
            Step(
                "personas",
                ("earlier_audiences",),
                ("task",),
                reply={"audiences": "list", "forms": "list"},
                shared_by="turns",
                serves=120,
                tries=3,
                size=2.0,
            ),
            Step("generate", ("audience", "form", "demos", "pattern", "passage"), ("audience", "form")),
        ),
        reads=_GROUNDED_READS,
    ),
    Method(
        "topic-tree",
        does="a tree of topics and sub-topics of the task is asked for; each example is about one leaf, in turn",
        source="arXiv 2305.14233, section 3.1",
        departures=(
            "topics are the task's, where the paper's are those of daily life",
            "the tree is as large as the attempts need, up to 30 by 30; the paper has 30 to 50 sub-topics a topic",
            "entities, writing tasks, given materials and dialogues of several turns are left out",
            "no passage is read, as it would be about something else than the sub-topic",
            "the label is the vote's",
        ),
        steps=(
            Step("topics", ("count", "demos"), ("task",), reply={"topics": "list"}, shared_by="part", tries=3),
            Step(
                "subtopics",
                ("topic", "other_topics", "count"),
                ("topic",),
                reply={"subtopics": "list"},
                shared_by="topic",
                tries=3,
                size=1.5,
            ),
            Step("generate", ("topic", "subtopic", "demos", "pattern"), ("subtopic",)),
        ),
        reads=("pattern", "demos"),
    ),
    Method(
        "rephrase",
        does="each passage is first written anew as clean encyclopaedic text; examples are then made from that",
        source="arXiv 2401.16380, section 3.1",
        departures=(
            "the paper trains on the paraphrases themselves; here they stand in for the passages",
            "one style, the encyclopaedic one; the paper has four",
            "a passage is rewritten whole, where the paper cuts at 300 tokens: `retrieve.passage_words` cuts here",
        ),
        steps=(
            Step("paraphrase", ("passage",), ("passage",), reply={"text": "text"}, shared_by="passage", size=1.5),
            *_GROUNDED_STEPS,
        ),
        needs=("corpus",),
        reads=_GROUNDED_READS,
    ),
)
METHOD_TABLE: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ROWS})


def _replies() -> dict[str, Mapping[str, str]]:
    """The fields of each prompt's reply that is no sample; a prompt's name means one kind of reply in all methods."""
    found: dict[str, Mapping[str, str]] = {}
    for method in METHOD_TABLE.values():
        for step in method.steps:
            if step.reply and found.setdefault(step.prompt, step.reply) != step.reply:
                raise ValueError(f"two methods read the reply to '{step.prompt}' differently")
    return found


REPLIES: Mapping[str, Mapping[str, str]] = MappingProxyType(_replies())


def prompt_names(method: str) -> tuple[str, ...]:
    """The prompts of a plan with this method: Algorithm 1's, then the method's own."""
    own = METHOD_TABLE[method].prompts
    shared = (name for name in PROMPT_NAMES if name != "generate" or name in own)
    return (*shared, *(name for name in own if name not in PROMPT_NAMES))
