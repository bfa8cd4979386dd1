"""``sdrl author --script FILE``: an authoring journal, or lines as typed in the terminal app, replayed headlessly.

The spec that comes out goes to stdout (or ``-o``), its problems and, with ``--chat``, the conversation to stderr.
Writes no file but ``-o`` (and the files of an example beside it) and asks no model: what a model said stands in the
journal. Exit 0 when the spec has no errors (warnings count under ``--strict``), 1 when it has, or when the journal
comes out otherwise than recorded, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdrl.authoring.state import State


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--script", metavar="FILE", required=True, help="a journal or script; - for stdin")
    parser.add_argument("-o", "--output", metavar="SPEC", type=Path, help="write the spec there; paths start from it")
    parser.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    parser.add_argument("--chat", action="store_true", help="show the conversation on stderr")


def run(args: argparse.Namespace) -> int:
    """Replay, print, report."""
    from sdrl.authoring.journal import read_lines
    from sdrl.authoring.workbench import replay
    from sdrl.run.folder import write_atomic
    from sdrl.spec.diagnostics import Exit, has_errors
    from sdrl.spec.render import render_text

    name = "<stdin>" if args.script == "-" else args.script
    script = Path(args.script)
    path = args.output or (Path("task.yaml") if args.script == "-" else script.with_suffix(".yaml"))
    writes = args.output is not None
    state = replay(read_lines(_text(args.script), name), name, str(path), writes=writes).state
    if args.chat:
        sys.stderr.write(_chat(state))
    if args.output is not None:
        write_atomic(args.output, state.text.encode("utf-8", "surrogatepass"))
        sys.stderr.write(f"wrote {args.output}\n")
    else:
        sys.stdout.write(state.text.encode("utf-8", "backslashreplace").decode())
        sys.stdout.flush()
    if state.issues:
        sys.stderr.write(render_text(list(state.issues)))
    return int(Exit.PROBLEMS if has_errors(state.issues) or (args.strict and state.issues) else Exit.OK)


def _text(name: str) -> str:
    from sdrl.spec.diagnostics import Exit, SdrlError

    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise SdrlError(
            "", f"{name} cannot be read: {error.strerror}", help="check the path", exit=Exit.USAGE
        ) from None
    except UnicodeDecodeError as error:
        raise SdrlError("", f"{name} is no UTF-8 text: {error}", exit=Exit.USAGE) from None


def _chat(state: State) -> str:
    from sdrl.authoring.drawing import turn_lines

    return "".join("\n".join(turn_lines(state, turn)) + "\n" for turn in state.turns)
