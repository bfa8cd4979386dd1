"""Looking into a passage index: keywords as an instructor gives them, or a query as a person types it. BM25 throughout.

Reads an index folder, writes nothing. Hits are ordered by ``(-round(score, 4), id)``: BM25 scores are 32-bit floats and
equal ones come back in segment order, which is not the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.corpus.index import TOKENIZER, IndexInfo, is_whole, load_tantivy, read_info
from sdrl.corpus.passage import Passage
from sdrl.spec.diagnostics import SdrlError

SEARCHED = ("title", "text")
_SPARE = 50  # hits fetched beyond 2k, so that ties at the border are broken by id and not by segment order
_SNIPPET_CHARS = 160


@dataclass(frozen=True)
class Hit:
    """One passage found. ``rank`` counts from 1; ``snippet`` is its best matching part, "" unless asked for."""

    passage: Passage
    score: float
    rank: int
    snippet: str = ""


class PassageIndex:
    """An open index; safe to keep for the life of the process (memory-mapped, 40 MB at 200,000 passages)."""

    def __init__(self, index: Any, info: IndexInfo) -> None:
        self._index = index
        self._searcher = index.searcher()
        self._schema = index.schema
        self.info = info
        self._analyzer: Any = None

    def search(self, query: str, k: int = 10, *, snippets: bool = False) -> list[Hit]:
        """The ``k`` best passages for a person's query; "quoted phrases" and +must -not are understood.

        Never raises for what a model or a person writes: what cannot be parsed is read as plain words.
        """
        parsed, _errors = self._index.parse_query_lenient(query, list(SEARCHED))
        return self._hits(parsed, k, snippets)

    def search_keywords(self, keywords: Sequence[str], k: int = 10, *, snippets: bool = False) -> list[Hit]:
        """The ``k`` best passages for a list of keywords: any of their words may occur, rare ones count more.

        Every word counts once, however many keywords repeat it; nothing in a keyword is query syntax.
        """
        tantivy = load_tantivy()
        terms = dict.fromkeys(term for keyword in keywords for term in self._terms(keyword))
        if not terms:
            return []
        should = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, field, term))
            for term in terms
            for field in SEARCHED
        ]
        return self._hits(tantivy.Query.boolean_query(should), k, snippets)

    def _terms(self, text: str) -> list[str]:
        """Words as the index holds them: the stages of Tantivy's ``en_stem``, which it does not hand out itself."""
        if self._analyzer is None:
            tantivy = load_tantivy()
            assert TOKENIZER == "en_stem"  # the analyzer below spells it out
            builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            for stage in (
                tantivy.Filter.remove_long(40),
                tantivy.Filter.lowercase(),
                tantivy.Filter.stemmer("English"),
            ):
                builder = builder.filter(stage)
            self._analyzer = builder.build()
        return list(self._analyzer.analyze(text))

    def _hits(self, query: Any, k: int, with_snippets: bool) -> list[Hit]:
        if k < 1:
            return []
        fetched = min(self.info.passages, 2 * k + _SPARE)
        hits = [(round(score, 4), at) for score, at in self._searcher.search(query, limit=fetched, count=False).hits]
        worst = hits[min(k, len(hits)) - 1][0] if hits else 0.0
        found = []
        for score, address in hits:
            if score < worst:  # below the k-th score no id can decide: the document need not be read
                break
            document = self._searcher.doc(address)
            found.append((-score, document.get_first("id"), document))
        found.sort(key=lambda item: item[:2])
        best = found[:k]
        snippet = self._snippet_maker(query) if with_snippets else None
        return [
            Hit(_passage(document), -negated, rank, snippet(document) if snippet else "")
            for rank, (negated, _, document) in enumerate(best, start=1)
        ]

    def _snippet_maker(self, query: Any) -> Any:
        generator = load_tantivy().SnippetGenerator.create(self._searcher, query, self._schema, "text")
        generator.set_max_num_chars(_SNIPPET_CHARS)

        def make(document: Any) -> str:
            found = " ".join(generator.snippet_from_doc(document).fragment().split())
            return found or " ".join((document.get_first("text") or "")[:_SNIPPET_CHARS].split())

        return make


def open_index(folder: Path | str) -> PassageIndex:
    """Open an index that was built here. Raises SdrlError E824 when there is none or it is damaged, E825 without
    Tantivy."""
    path = Path(folder)
    info = read_info(path)
    if not is_whole(path):
        raise SdrlError("E824", f"the index in {path} is damaged", help="remove the folder and build it again")
    tantivy = load_tantivy()
    try:
        index = tantivy.Index.open(str(path))
    except (ValueError, OSError) as error:
        raise SdrlError(
            "E824", f"the index in {path} cannot be opened ({error})", help="remove the folder and build it again"
        ) from None
    return PassageIndex(index, info)


def _passage(document: Any) -> Passage:
    fields = ("id", "text", "title", "source", "license")
    return Passage(*(document.get_first(field) or "" for field in fields))
