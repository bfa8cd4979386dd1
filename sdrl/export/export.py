"""One export: gathers a target's files, writes them as a whole into a new folder, returns what was written.

The table ``TARGETS`` is the list of targets. An export never overwrites: a folder that holds anything is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sdrl.export.hub import hub_files
from sdrl.export.parts import Files
from sdrl.export.plain import plain_files
from sdrl.export.samples import Sample, samples
from sdrl.export.source import Source, open_source
from sdrl.export.trl import trl_files
from sdrl.export.verifiers_taskset import taskset_files
from sdrl.export.verl import verl_files
from sdrl.spec.diagnostics import Exit, SdrlError

Split = dict[str, list[Sample]]
TARGETS: dict[str, Callable[[Source, Split], Files]] = {
    "verifier": plain_files,
    "trl": trl_files,
    "verl": verl_files,
    "verifiers": taskset_files,
    "hf": hub_files,
}


def export_run(root: Path, to: str, out: Path) -> list[Path]:
    """Export the run in ``root`` for ``to`` (a key of TARGETS) into ``out``; returns the files, sorted.

    Raises:
        SdrlError: no finished select stage, a changed file, a folder that is not empty, or a target that cannot take
            this run; nothing is written then.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SdrlError("", f"{out} is not empty", help="name a new folder with -o", exit=Exit.USAGE)
    source = open_source(root)
    files = TARGETS[to](source, samples(source))
    for name, content in sorted(files.items()):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if content.startswith(b"#!"):
            path.chmod(0o755)
    if to == "hf" and (source.folder.model / "config.json").is_file():
        shutil.copytree(source.folder.model, out / "model")
    return sorted(path for path in out.rglob("*") if path.is_file())
