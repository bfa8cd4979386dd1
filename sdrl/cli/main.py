"""``sdrl``: finds the command, imports its module alone, runs it; every failure becomes one message and an exit code.

Reads the command line; writes nothing itself: commands print data on stdout and talk on stderr. Does not parse specs.
Exit codes are the table of ``sdrl.spec.diagnostics.Exit``.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

# name -> (module, one line of help); order is the order of work
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "write a new commented spec, or list the examples"),
    "author": ("author", "replay an authoring journal headlessly"),
    "validate": ("validate", "report all problems of all specs"),
    "explain": ("explain", "a diagnostic in full"),
    "schema": ("schema", "the JSON Schema of the spec language"),
    "compile": ("compile", "spec to plan folder"),
    "plan": ("plan", "stages, updates, prompts, requests, tokens and cost of a plan"),
    "diff": ("diff", "what would re-run between two plans, and why"),
    "preview": ("preview", "the exact bytes that would be sent"),
    "verify": ("verify", "judge completions against golds, JSONL in and out"),
    "index": ("index", "build a passage index"),
    "search": ("search", "look into a passage index"),
    "run": ("run", "execute a plan, or resume it with the same command"),
    "status": ("status", "where a run is"),
    "stop": ("stop", "end a run cleanly; the same run command goes on"),
    "runs": ("runs", "all runs of this folder"),
    "review": ("review", "judge a few samples by hand before the rest is paid for"),
    "report": ("report", "verdict, figures and tables of a run"),
    "serve-embedded": ("serve_embedded", "the embedded models as an OpenAI-compatible server"),
    "doctor": ("doctor", "what is installed and missing, and how to mend it"),
}


class _Parser(argparse.ArgumentParser):
    """argparse, whose usage errors name the next step on one line and exit 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n  help: run '{self.prog} --help'\n")


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = ["usage: sdrl COMMAND [...]", "", "From a task definition to a trained model: spec, plan, run, report.", ""]
    lines += [f"  {name:<{width}}  {help_}" for name, (_, help_) in COMMANDS.items()]
    lines += ["", "sdrl COMMAND --help tells more; sdrl --version prints the version."]
    return "\n".join(lines)


def _unknown(name: str) -> int:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "run 'sdrl --help' for the list"
    sys.stderr.write(f"sdrl: there is no command '{name}'\n  help: {hint}\n")
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Never raises for anything a user, a model, a server or a disk can do."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        from sdrl import __version__

        print(f"sdrl {__version__}")
        return 0
    if words[0] not in COMMANDS:
        return _unknown(words[0])
    module_name, summary = COMMANDS[words[0]]
    module = importlib.import_module(f"sdrl.cli.{module_name}")
    parser = _Parser(prog=f"sdrl {words[0]}", description=summary[0].upper() + summary[1:] + ".")
    module.configure(parser)
    try:
        args = parser.parse_args(words[1:])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    return _guarded(words[0], module.run, args)


def _guarded(command: str, run: object, args: argparse.Namespace) -> int:
    """The one border where an exception becomes a message (the log of an internal error names the traceback)."""
    from sdrl.spec.diagnostics import Exit, SdrlError

    assert callable(run)  # every command module defines run
    try:
        return int(run(args))
    except SdrlError as error:
        from sdrl.cli.failure import print_error

        print_error(error)
        return int(error.exit)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.OK)
    except KeyboardInterrupt:
        sys.stderr.write("sdrl: interrupted\n")
        return int(Exit.STOPPED)
    except OSError as error:
        from sdrl.cli.failure import print_os_error

        return print_os_error(error)
    except Exception as error:
        from sdrl.cli.failure import write_crash_log

        return write_crash_log(command, error)


def entry() -> NoReturn:
    """Console-script entry point."""
    # A start allocates much and frees little: collecting every 700 objects costs a tenth of it and finds nothing.
    gc.set_threshold(50_000, 20, 20)
    # Looking for plugins of pydantic reads the metadata of every installed package; sdrl's models need none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.exit(main())
