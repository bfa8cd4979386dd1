"""The tables of Algorithm 1's stages, from retrieve to select, and of the validation split."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sdrl.spec.base import AnsweringSampling, Count, Quantity, Share, Table, Text, WritingSampling


class Retrieve(Table):
    """Which passages ground the samples."""

    keywords: Literal["auto"] | list[Text] = "auto"
    """auto: the instructor names them; or a list of your own."""
    passages: Quantity = 10_000
    """How many passages are taken from the index, best first."""
    per_sample: Count = 1
    """Passages in one prompt."""
    passage_words: Count = 350
    """Longest passage, in words; longer texts are cut into several."""
    shuffle: bool = True
    """Hand the passages out in a seeded random order, not best first."""


class Synthesize(Table):
    """How new samples are written."""

    method: Literal[
        "grounded",
        "self-instruct",
        "targen",
        "synthllm",
        "metamath-rephrase",
        "metamath-answers",
        "metamath-self-verification",
        "metamath-fobar",
        "back-translation",
        "extract-and-refine",
        "personas",
        "topic-tree",
        "rephrase",
    ] = "grounded"
    """Synthesis method; grounded is the paper's, docs/methods.md has the others."""
    samples: Count = 500
    """Samples wanted before filters and selection (the paper's N)."""
    attempts: Annotated[int, Field(ge=1)] | None = None
    """At most so many attempts; null: 1.5 times samples."""
    pattern: Literal["with_demos", "never"] = "with_demos"
    """Summarise the demos' general pattern where there are demos, or never."""
    demos_per_prompt: Annotated[int, Field(ge=0)] | Literal["all"] = 3
    """Demos in one prompt, drawn anew for each."""
    demo_probability: Share | Literal["share"] = 1.0
    """Probability that a prompt has demos; share: number of demos over samples."""
    sampling: WritingSampling = WritingSampling.model_construct()
    """How the instructor is asked; keywords, pattern and adapt use the same."""

    @property
    def most_attempts(self) -> int:
        """The largest number of attempts: ``attempts``, or 1.5 times ``samples``."""
        return self.attempts if self.attempts is not None else -(-self.samples * 3 // 2)


class Vote(Table):
    """The label of a sample is the most frequent of several answers."""

    draws: Count = 16
    """Answers drawn a sample."""
    min_agreement: Share | None = 0.5
    """Smallest share of the draws behind the label; null: off."""
    tie: Literal["drop", "first", "random"] = "drop"
    """What becomes of a sample whose vote is a tie."""
    include_generated: bool = False
    """Count the generator's own output as one vote."""
    stop_early: bool = True
    """Draw in waves, and stop when neither the label nor the verdict can change; with ``batch`` a wave is a batch."""
    sampling: AnsweringSampling = AnsweringSampling.model_construct()
    """How the instructor is asked."""


class Review(Table):
    """A person judges a few samples before money is spent on them."""

    samples: Annotated[int, Field(ge=0)] = 0
    """Samples to judge; 0: none."""
    min_valid: Share = 0.8
    """Smallest share that must be valid."""


class Probe(Table):
    """The base model answers every sample once, greedily (limits as score.sampling)."""

    min_parsable: Share = 0.2
    """Smallest share of answers from which a value can be read; below it the run stops and says what helps."""


class Adapt(Table):
    """Harder samples from the solved ones, easier ones from the unsolved."""

    harder: bool = True
    """Write a harder sample from each solved one."""
    easier: bool = True
    """Write an easier sample from each unsolved one."""
    rounds: Annotated[int, Field(ge=0)] = 1
    """How often; 0: no adaptation."""


class Score(Table):
    """The base model's pass rate on every sample."""

    draws: Count = 64
    """Answers drawn a sample (the paper's L); with `adaptive` the most."""
    adaptive: bool = True
    """Draw in rounds, and no more once a sample's place among those that train is settled."""
    sampling: AnsweringSampling = AnsweringSampling.model_construct()
    """How the base model is asked."""


class Length(Table):
    """How long an input may be, in words."""

    min_words: Annotated[int, Field(ge=0)] = 3
    """Fewest words."""
    max_words: Count | None = None
    """Most words; null: any number."""


class FilterStep(Table):
    """One filter; exactly one key."""

    duplicates: bool | None = None
    """Drop samples whose normalised input was seen before."""
    decontaminate: bool | None = None
    """Drop samples that share a long run of words with an evaluation set."""
    rouge_l: Annotated[float, Field(gt=0, le=1)] | None = None
    """Drop samples whose ROUGE-L with an earlier one is at least this."""
    minhash: Annotated[float, Field(gt=0, le=1)] | None = None
    """Drop samples that share this part of their runs of three words with an earlier one (Jaccard, by MinHash)."""
    length: Length | None = None
    """Drop samples that are shorter or longer."""
    language: bool | None = None
    """Drop samples that are clearly written in another language than task.language (by script and common words)."""
    embedding: Annotated[float, Field(gt=0, le=1)] | None = None
    """Drop samples whose vector's cosine with an earlier one's is at least this; needs models.embedder."""
    decontaminate_embedding: Annotated[float, Field(gt=0, le=1)] | None = None
    """Drop samples whose vector's cosine with an evaluation input's is at least this; needs models.embedder."""
    judge: Annotated[int, Field(ge=1, le=6)] | None = None
    """Drop samples that the instructor grades below this, from 1 to 6; one request a sample."""
    tags: Annotated[int, Field(ge=1)] | None = None
    """Drop samples each of whose tags, named by the instructor, so many samples have already; one request a sample."""

    @property
    def name(self) -> str:
        """The filter's key."""
        return next((key for key in FILTERS if getattr(self, key) is not None), "")

    @property
    def is_on(self) -> bool:
        """Whether it may drop anything."""
        return bool(self.name) and getattr(self, self.name) is not False


FILTERS = (
    "duplicates",
    "decontaminate",
    "rouge_l",
    "minhash",
    "length",
    "language",
    "embedding",
    "decontaminate_embedding",
    "judge",
    "tags",
)
ASKING = {"judge": "judge", "tags": "tags"}
"""Filters that need a reply of the instructor about each sample, and the prompt that gets it."""


class Select(Table):
    """Which samples train."""

    samples: Count = 500
    """Training samples (the paper's M)."""
    order: Literal["hardest_solvable", "easy", "hard", "random", "all"] = "hardest_solvable"
    """Which first: hardest_solvable is the paper's equation 7."""
    min_solved: Annotated[int, Field(ge=0)] = 2
    """Fewest right answers of a solvable sample."""
    never_solved: Literal["drop", "last"] = "drop"
    """What becomes of samples that were never solved: dropped, or ranked last (equation 7's score of 1)."""
    doubted: Literal["keep", "last", "drop"] = "keep"
    """What becomes of samples whose label the base model's majority contradicts: ranked as others, last, or dropped."""
    fill: Literal["none", "easy", "hard", "random"] = "none"
    """What fills up when fewer samples are solvable: none, or the rest in this order."""
    min: Annotated[int, Field(ge=1)] = 50
    """Fewest samples worth training on; fewer stop the run."""


class Validate(Table):
    """A sealed synthetic split: drives early stop and the choice of the checkpoint."""

    share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the selected samples that is held out; 0: none."""
    by: Literal["passage", "sample"] = "passage"
    """What is kept on one side: all samples of a passage and its offspring, or single samples."""
