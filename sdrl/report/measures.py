"""How texts are measured: in which unit their length, and what makes two of them alike. Both are stamped on figures.

Without a wish: words split at spaces, and tf-idf of words, which need nothing installed. ``--tokenizer`` takes a
``tokenizer.json`` (or a folder with one) or a name that tiktoken knows, as the paper's ``gpt-4``; ``--embedder`` takes
what sentence-transformers loads. Figures under different stamps do not compare. Asks no endpoint.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdrl.spec.diagnostics import Exit, SdrlError

Vector = Mapping[str, float] | Sequence[float]
WORDS = "words split at spaces"
TF_IDF = "tf-idf of words, fitted on the texts of this report"
_WORD = re.compile(r"\w+")


def _words(text: str) -> int:
    return len(text.split())


def tf_idf(texts: Sequence[str]) -> list[Vector]:
    """Unit vectors of ``(1 + ln tf) (1 + ln (n / df))`` over lower-case words; a text without words has none."""
    counted = [Counter(_WORD.findall(text.lower())) for text in texts]
    spread = Counter(word for words in counted for word in words)
    found: list[Vector] = []
    for words in counted:
        raw = {word: (1 + math.log(n)) * (1 + math.log(len(texts) / spread[word])) for word, n in words.items()}
        norm = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        found.append({word: value / norm for word, value in raw.items()})
    return found


@dataclass(frozen=True)
class Measures:
    """What counts as length (``unit``: words or tokens) and as likeness, with the names that figures carry."""

    length: Callable[[str], int] = _words
    unit: str = "words"
    tokenizer: str = WORDS
    embed: Callable[[Sequence[str]], list[Vector]] = tf_idf
    embedder: str = TF_IDF

    @classmethod
    def of(cls, tokenizer: str | None, embedder: str | None) -> Measures:
        """The measures asked for. Raises SdrlError (E825 for a missing library) where one is not to be had."""
        found: dict[str, Any] = {}
        if tokenizer is not None:
            length, name = _tokenizer(tokenizer)
            found |= {"length": length, "unit": "tokens", "tokenizer": name}
        if embedder is not None:
            embed, name = _embedder(embedder)
            found |= {"embed": embed, "embedder": name}
        return cls(**found)


def cosine(a: Vector, b: Vector) -> float:
    """The cosine of two unit vectors of one kind."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        few, many = (a, b) if len(a) <= len(b) else (b, a)
        return sum(value * many.get(word, 0.0) for word, value in few.items())
    return sum(x * y for x, y in zip(a, b, strict=True))  # type: ignore[operator]  # both are sequences of numbers


def _tokenizer(name: str) -> tuple[Callable[[str], int], str]:
    path = Path(name) / "tokenizer.json" if Path(name).is_dir() else Path(name)
    if path.suffix == ".json" or path.is_file():
        return _from_file(path)
    try:
        import tiktoken
    except ModuleNotFoundError:
        raise SdrlError(
            "E825", f"--tokenizer {name} is no file, and names need tiktoken", help="pip install tiktoken, or name a "
            "tokenizer.json, as RUN/model/tokenizer.json"
        ) from None  # fmt: skip
    try:
        names = tiktoken.list_encoding_names()
        encoding = tiktoken.get_encoding(name) if name in names else tiktoken.encoding_for_model(name)
    except Exception as error:  # it downloads what it does not have, and every library below it has its own error
        raise _cannot(f"tiktoken has no tokenizer {name}: {error}", "try --tokenizer gpt-4") from None
    stamp = f"tiktoken {tiktoken.__version__} {encoding.name}"
    return lambda text: len(encoding.encode(text, disallowed_special=())), stamp


def _from_file(path: Path) -> tuple[Callable[[str], int], str]:
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise SdrlError("E825", "--tokenizer needs the library tokenizers", help="pip install 'sdrl[train]'") from None
    try:
        raw = path.read_bytes()
        loaded = Tokenizer.from_str(raw.decode())
    except Exception as error:  # tokenizers raises bare Exception for what it cannot read
        raise _cannot(f"{path} is no tokenizer.json: {error}", "name one, as RUN/model/tokenizer.json") from None
    stamp = f"{path.name} {hashlib.sha256(raw).hexdigest()[:12]}"
    return lambda text: len(loaded.encode(text, add_special_tokens=False).ids), stamp


def _cannot(message: str, help_: str) -> SdrlError:
    first = " ".join(message.split())[:300]
    return SdrlError("", first, help=help_, exit=Exit.USAGE)


def _embedder(name: str) -> tuple[Callable[[Sequence[str]], list[Vector]], str]:
    try:
        import sentence_transformers
    except ModuleNotFoundError:
        raise SdrlError(
            "E825", "--embedder needs the library sentence-transformers", help="pip install sentence-transformers"
        ) from None
    try:
        model = sentence_transformers.SentenceTransformer(name)
    except Exception as error:  # whatever the hub, the disk or torch says
        help_ = "name a model folder, or a model of the hub where it can be reached"
        raise _cannot(f"sentence-transformers cannot load {name}: {error}", help_) from None

    def embed(texts: Sequence[str]) -> list[Vector]:
        rows = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return [[float(value) for value in row] for row in rows]

    return embed, f"sentence-transformers {sentence_transformers.__version__} {Path(name).name}"
