"""Rows of a Hugging Face data set, streamed: only what is asked for is downloaded, nothing is unpacked on disk.

``dataset`` names a data set of the hub, or a folder beside the spec laid out like one (which needs no network). The one
owner of the ``datasets`` library in this layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.model import Source


def stream_rows(source: Source, base: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """``(where, row)`` of the first ``source.limit`` rows (all without a limit), in the data set's own order.

    Raises SdrlError E823 when the data set, configuration, split or network is not there, E825 without the library.
    """
    try:
        from datasets import load_dataset  # 0.7 s
    except ImportError:
        raise SdrlError("E825", "hub data sets need the library datasets", help="pip install 'sdrl[train]'") from None
    assert source.dataset is not None  # the caller's test
    name = source.dataset
    folder = base / name
    try:
        stream = load_dataset(
            str(folder) if folder.is_dir() else name,
            source.config,
            split=source.split,
            revision=None if folder.is_dir() else source.revision,
            streaming=True,
        )
        for number, row in enumerate(islice(stream, source.limit), start=1):
            yield f"{name}/{source.split}:{number}", row
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SdrlError(
            "E823",
            f"cannot read the data set '{name}' (split '{source.split}'): {reason}",
            help="check dataset, config, split and revision, and that the hub can be reached; or download it once and "
            "name its folder",
        ) from error
