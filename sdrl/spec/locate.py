"""Where the shipped templates and specs lie: in a wheel, an editable install and a checkout alike.

A wheel carries them inside the package (``sdrl/_templates``, ``sdrl/_specs``); an editable install and a checkout have
them beside it. A checkout wins, because an editable install may carry a stale copy inside the package.
"""

from __future__ import annotations

from pathlib import Path

from sdrl.spec.diagnostics import Exit, SdrlError

_PACKAGE = Path(__file__).resolve().parent.parent


def _find(name: str) -> Path:
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / name).is_dir():
        return checkout / name
    if (packed := _PACKAGE / f"_{name}").is_dir():
        return packed
    raise SdrlError(
        "E501",
        f"the shipped {name} folder is missing beside {_PACKAGE}",
        help="install sdrl again: its files are incomplete",
        exit=Exit.PROBLEMS,
    )


def templates_dir() -> Path:
    """Folder of the shipped prompt templates.

    Raises:
        SdrlError: the installation is incomplete.
    """
    return _find("templates")


def specs_dir() -> Path:
    """Folder of the shipped specs.

    Raises:
        SdrlError: the installation is incomplete.
    """
    return _find("specs")
