"""Copying: the system's clipboard, else the terminal's own (OSC 52), and a file wherever nobody can tell.

No terminal answers whether it took an OSC 52, so the text is then put into a file too, and the notice says where.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

MOST_OSC52 = 74_994  # bytes of base64 that xterm and its kind take
WAIT_S = 2.0
WITHOUT_OSC52 = ("linux", "screen", "dumb", "vt100", "")  # terminals that never take one


def copy(text: str, write: Callable[[str], None] | None, environ: Mapping[str, str], folder: Path) -> tuple[str, bool]:
    """Put a text where it can be pasted from; says what was done in a sentence, and whether it was done.

    ``write`` sends characters to the terminal, where there is one; ``folder`` takes the file.
    """
    count = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
    for words in _tools(environ):
        if _handed(words, text, environ):
            return f"copied {count} to the clipboard ({words[0]})", True
    sent = write is not None and _sent(text, write, environ)
    kept = folder / "copied.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(text, encoding="utf-8", errors="surrogateescape")
        kept.chmod(0o600)
    except OSError as error:
        if sent:
            return f"sent {count} to the terminal's clipboard (OSC 52)", True
        return f"nothing was copied: no clipboard here, and {kept}: {error.strerror or error}", False
    if sent:
        return f"sent {count} to the terminal's clipboard (OSC 52); they are in {kept} too", True
    return f"no clipboard here: {count} are in {kept}", True


def _tools(environ: Mapping[str, str]) -> list[list[str]]:
    """The programs that reach this system's clipboard; over SSH it would be the wrong machine's."""
    if environ.get("SSH_TTY") or environ.get("SSH_CONNECTION"):
        return []
    tools = [["pbcopy"], ["clip.exe"]]
    if environ.get("WAYLAND_DISPLAY"):
        tools.append(["wl-copy"])
    if environ.get("DISPLAY"):
        tools += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
    return [words for words in tools if shutil.which(words[0], path=environ.get("PATH"))]


def _handed(words: list[str], text: str, environ: Mapping[str, str]) -> bool:
    program = shutil.which(words[0], path=environ.get("PATH"))
    try:
        done = subprocess.run(
            [program or words[0], *words[1:]],
            input=text.encode("utf-8", "surrogateescape"),
            stdout=subprocess.DEVNULL,  # xclip stays behind to serve the text: it must not hold a pipe of ours
            stderr=subprocess.DEVNULL,
            timeout=WAIT_S,
            env=dict(environ),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _sent(text: str, write: Callable[[str], None], environ: Mapping[str, str]) -> bool:
    encoded = base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
    is_able = environ.get("TERM", "") not in WITHOUT_OSC52 and environ.get("TERM_PROGRAM") != "Apple_Terminal"
    if not is_able or len(encoded) > MOST_OSC52:
        return False
    write(f"\x1b]52;c;{encoded}\x07")
    return True


def environment() -> Mapping[str, str]:
    """The variables that tell which clipboards there are."""
    return os.environ
