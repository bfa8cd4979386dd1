"""``embedding: T``, ``decontaminate_embedding: T``: drop a sample whose vector is as close as ``T`` to another text's.

Close is the cosine of the two vectors, which ``models.embedder`` gave and the stage hands over. ``embedding`` compares
with every sample kept before (but not with a sample's kin, ``kin.py``), ``decontaminate_embedding``
with the inputs of every declared evaluation set. What a threshold means depends on the embedder: figures hold for the
one that they were measured with.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sdrl.filters.kin import Kin
from sdrl.filters.text import Sample, sample_text
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

Vectors = Mapping[str, Sequence[float]]  # by text
_ROOM = 256  # rows that are added at once


class _Rows:
    """Vectors of one length with the keys they belong to, for the closest one at a time."""

    def __init__(self) -> None:
        try:
            import numpy
        except ImportError:
            raise SdrlError(
                "E825", "filters that compare embeddings need the library numpy", help="pip install 'sdrl[run]'"
            ) from None
        self._numpy = numpy
        self._matrix: Matrix | None = None
        self.keys: list[Any] = []

    def add(self, key: Any, vector: Sequence[float]) -> None:
        unit = self._unit(vector)
        if self._matrix is None:
            self._matrix = self._numpy.zeros((_ROOM, len(unit)), dtype=self._numpy.float32)
        if len(self.keys) == len(self._matrix):
            self._matrix = self._numpy.concatenate([self._matrix, self._numpy.zeros_like(self._matrix)])
        self._matrix[len(self.keys)] = unit
        self.keys.append(key)

    def closest(self, vector: Sequence[float], but: Container[Any] = ()) -> tuple[Any, float] | None:
        """The key with the largest cosine, and the cosine; None where there is nothing to compare with."""
        if self._matrix is None:
            return None
        cosines = self._matrix[: len(self.keys)] @ self._unit(vector)
        if but:
            cosines = self._numpy.where([key in but for key in self.keys], -1.0, cosines)
        at = int(cosines.argmax())
        return self.keys[at], float(cosines[at])

    def _unit(self, vector: Sequence[float]) -> Matrix:
        found = self._numpy.asarray(vector, dtype=self._numpy.float32)
        length = float(self._numpy.linalg.norm(found))
        scaled: Matrix = found / length if length else found
        return scaled


class Embedding:
    """Remembers the vector of every kept sample. A sample without one (no reply came) stays."""

    code = "similar"

    def __init__(self, threshold: float, vectors: Vectors) -> None:
        self._threshold, self._vectors = threshold, vectors
        self._rows = _Rows()
        self._kin = Kin()

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"of": id, "cosine": c}`` of the closest earlier sample when c reaches the threshold, or None."""
        vector = self._vectors.get(sample_text(sample))
        kin = self._kin.of(sample)
        found = None if vector is None else self._rows.closest(vector, but=kin)
        if found is None or found[1] < self._threshold or found[0] in kin:
            return None
        return {"of": found[0], "cosine": round(found[1], 4)}

    def remember(self, sample: Sample) -> None:
        """Keep ``sample`` in mind."""
        if (vector := self._vectors.get(sample_text(sample))) is not None:
            self._rows.add(str(sample["id"]), vector)
        self._kin.remember(sample)


class DecontaminateEmbedding:
    """Built once from the evaluation inputs, ``{set: [input, …]}``; kept samples do not change it."""

    code = "contaminated"

    def __init__(self, threshold: float, evaluations: Mapping[str, Sequence[str]], vectors: Vectors) -> None:
        self._threshold, self._vectors = threshold, vectors
        self._rows = _Rows()
        for name, inputs in evaluations.items():
            for row, text in enumerate(inputs):
                if (vector := vectors.get(text)) is not None:
                    self._rows.add((name, row), vector)

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"set", "row", "cosine"}`` (row counts from 0) of the closest evaluation input, or None."""
        vector = self._vectors.get(sample_text(sample))
        found = None if vector is None else self._rows.closest(vector)
        if found is None or found[1] < self._threshold:
            return None
        return {"set": found[0][0], "row": found[0][1], "cosine": round(found[1], 4)}

    def remember(self, sample: Sample) -> None:
        """Nothing to remember: only the evaluation sets count."""
