"""Step 2: R = P(K, L): the best passages of the corpus for the keywords, by BM25 (Algorithm 1 line 2).

As in the authors' code all keywords join into one query, and the passages found are shuffled before use (seeded here).
Reads the passage index of the store, which is built on first use and shared by every run of the same corpus.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from sdrl.compiler.method_use import reads_passages
from sdrl.compiler.rows import RowProblem, digest_file, expand, relative_name
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """One row a passage, in the order of use: {part, order, passage: {id, title, text, source, license}, score}."""
    if not reads_passages(ctx.plan):
        return StageOutput([])
    index_dir = await asyncio.to_thread(_index, ctx)
    rows: list[Row] = []
    for found in ctx.rows("keywords"):
        rows += _search(ctx, index_dir, found["part"], found["keywords"])
    return StageOutput(rows, notes={"index": index_dir.name})


def _index(ctx: StageContext) -> Path:
    from sdrl.corpus import build_index, read_passages

    _refuse_changed(ctx)
    settings = ctx.plan.settings
    words = settings.retrieve.passage_words
    return build_index(
        read_passages(settings.corpus, ctx.plan.base_dir or ".", passage_words=words), ctx.store_dir
    ).path


def _refuse_changed(ctx: StageContext) -> None:
    """A corpus file that is not the one the plan was compiled with ends the run before it is used."""
    _refuse_added(ctx)
    for file in ctx.plan.corpus:
        path = (ctx.plan.base_dir or Path()) / file.path
        if ctx.plan.settings.corpus[file.source].dataset is not None:
            continue
        found = digest_file(path)[0] if path.is_file() else "missing"
        if found != file.sha256:
            raise SdrlError(
                "E605",
                f"the corpus file {file.path} is not the one this plan was compiled with "
                f"({found[:12]}, the plan has {file.sha256[:12]})",
                help="put the file back, or compile the spec again and run the new plan",
                exit=Exit.STALE,
            )


def _refuse_added(ctx: StageContext) -> None:
    """A file that has come since, and that a pattern of the spec now finds, is in no hash and is not read."""
    base_dir = ctx.plan.base_dir or Path()
    for index, source in enumerate(ctx.plan.settings.corpus):
        known = {(base_dir / file.path).resolve() for file in ctx.plan.corpus if file.source == index}
        try:
            found = expand(list(source.files or ()), base_dir)
        except RowProblem:  # a listed file is missing, which is said by its name
            continue
        if added := [relative_name(path, base_dir) for path in found if path.resolve() not in known]:
            raise SdrlError(
                "E605",
                f"the corpus file {added[0]} was not there when this plan was compiled",
                help="move it away, or compile the spec again and run the new plan",
                exit=Exit.STALE,
            )


def _search(ctx: StageContext, index_dir: Path, part: str, keywords: list[str]) -> list[Row]:
    from sdrl.corpus import open_index

    retrieve = ctx.plan.settings.retrieve
    hits = open_index(index_dir).search_keywords(keywords, retrieve.passages)
    if not hits:
        raise SdrlError(
            "E861",
            f"no passage of the corpus matches the keywords of part '{part}': {', '.join(keywords[:8])}",
            help="point corpus at passages of the task's domain, or set retrieve.keywords in the spec",
        )
    if retrieve.shuffle:
        random.Random(ctx.plan.seed_for("retrieve", part)).shuffle(hits)
    return [
        {
            "part": part,
            "order": order,
            "rank": hit.rank,
            "score": round(hit.score, 4),
            "passage": {
                "id": hit.passage.id,
                "title": hit.passage.title,
                "text": hit.passage.text,
                "source": hit.passage.source,
                "license": hit.passage.license,
            },
        }
        for order, hit in enumerate(hits)
    ]
