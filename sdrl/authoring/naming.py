"""What a person calls a spec, as a path: ``contracts`` is ``contracts.yaml``; what cannot be one is refused with a fix.

Looks at the disk, writes nothing. Reads no spec, so that a first paint need not wait for it.
"""

from __future__ import annotations

from pathlib import Path

from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.source import SUFFIXES


def spec_path(name: Path | str) -> Path:
    """The path of a spec that is there, or may be made.

    Raises:
        SdrlError: it is a folder, lies in a folder that is not there, or has another ending.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        inside = sorted(each.name for each in path.iterdir() if each.suffix in SUFFIXES)
        raise _refused(f"{name} is a folder", f"name a file in it, such as {path / (inside or ['task.yaml'])[0]}")
    if not path.suffix and not path.exists():
        path = path.with_name(f"{path.name}{SUFFIXES[0]}")
    if path.suffix not in SUFFIXES:
        raise _refused(f"{name} is no name for a spec", f"end it in {SUFFIXES[0]}: {path.with_suffix(SUFFIXES[0])}")
    if not path.parent.is_dir():
        raise _refused(f"there is no folder {path.parent}", f"make it (mkdir -p {path.parent}), or name another")
    return path


def _refused(message: str, advice: str) -> SdrlError:
    return SdrlError("", message, help=advice, exit=Exit.USAGE)
