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
    "tui": ("tui", "author a spec, and watch runs, in the terminal app"),
    "author": ("author", "replay an authoring journal headlessly"),
    "validate": ("validate", "report all problems of all specs"),
    "explain": ("explain", "tell a diagnostic in full"),
    "schema": ("schema", "print the JSON Schema of the spec language"),
    "compile": ("compile", "freeze a spec into a plan folder"),
    "plan": ("plan", "show stages, updates, prompts, requests, tokens and cost"),
    "diff": ("diff", "tell what would re-run between two plans, and why"),
    "preview": ("preview", "show the exact bytes that would be sent"),
    "verify": ("verify", "judge completions against golds, JSONL in and out"),
    "index": ("index", "build a passage index"),
    "search": ("search", "look into a passage index"),
    "rehearse": ("rehearse", "what needs the hardware, two steps each with random weights: memory, speed, forecast"),
    "run": ("run", "execute a plan, or resume it with the same command"),
    "status": ("status", "tell where a run is"),
    "stop": ("stop", "end a run cleanly; the same run command goes on"),
    "runs": ("runs", "list all runs of this folder"),
    "gc": ("gc", "free what no run needs any more of the store; replies are kept"),
    "review": ("review", "judge a few samples by hand before the rest is paid for"),
    "report": ("report", "show verdict, figures and tables of a run"),
    "compare": ("compare", "run arms, budgets and seeds of one spec on equal terms, and show what differs"),
    "export": ("export", "give samples and verifier of a run to TRL, verl, verifiers, the hub or anyone"),
    "serve-embedded": ("serve_embedded", "serve the embedded models as an OpenAI-compatible server"),
    "doctor": ("doctor", "tell what is installed and missing, and how to mend it"),
}


# what other tools call it, and what people try
OTHER_NAMES = {
    **dict.fromkeys(("check", "lint", "verify-spec", "test", "typecheck"), "validate"),
    **dict.fromkeys(("train", "start", "execute", "exec", "resume", "continue", "launch"), "run"),
    **dict.fromkeys(("new", "create", "examples", "template"), "init"),
    **dict.fromkeys(("eval", "evaluate", "results", "result", "metrics"), "report"),
    **dict.fromkeys(("build", "freeze", "pin", "make"), "compile"),
    **dict.fromkeys(("estimate", "cost", "dry-run", "show", "inspect"), "plan"),
    **dict.fromkeys(("list", "ls", "ps"), "runs"),
    **dict.fromkeys(("log", "logs", "watch", "progress"), "status"),
    **dict.fromkeys(("kill", "cancel", "abort"), "stop"),
    **dict.fromkeys(("clean", "prune", "free", "purge"), "gc"),
    **dict.fromkeys(("prompt", "prompts", "render"), "preview"),
    **dict.fromkeys(("judge", "score", "grade"), "verify"),
    **dict.fromkeys(("serve", "server"), "serve-embedded"),
    **dict.fromkeys(("env", "info", "diagnose", "setup", "install"), "doctor"),
}


# what the environment may say; a spec names the variables of its keys itself (models.*.key_env)
ENVIRONMENT = {
    "NO_COLOR": "set to anything: no colour",
    "FORCE_COLOR": "set: colour where there is no terminal",
    "COLUMNS": "the width of tables and wrapped text where it is not the terminal's",
    "HF_TOKEN, HF_HOME, HF_HUB_OFFLINE": "as Hugging Face's libraries read them: key, cache, no look-ups",
    "SDRL_VLLM_PYTHON": "the Python of the environment that vLLM is installed in (docs/vllm.md)",
    "SDRL_MAIN_ADDRESS": "HOST:PORT of the first of several training machines (docs/scale.md)",
    "SDRL_CONTROL_REWARD": "random, format or shuffled: one run as a control (decision 004)",
}


class _Parser(argparse.ArgumentParser):
    """argparse, whose usage errors name the next step on one line and exit 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n  help: {self._hint(message)}\n")

    def _hint(self, message: str) -> str:
        """What was meant: a flag or a word that exists, or where the list is."""
        import difflib
        import re

        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        wrong = re.search(r"unrecognized arguments: (--[\w-]+)", message)
        choice = re.search(r"argument (--[\w-]+): invalid choice: '([^']*)'", message)
        if wrong:
            starts = [flag for flag in known if wrong[1].startswith(flag) or flag.startswith(wrong[1])]
            near = starts or difflib.get_close_matches(wrong[1], known, n=1)
            listed = ", ".join(flag for flag in known if flag != "--help")
            return f"did you mean {near[0]}?" if near else f"flags here: {listed or 'none'}"
        if choice:
            words = [str(word) for word in self._option_string_actions[choice[1]].choices or ()]
            near = [word for word in words if choice[2].startswith(word)] or difflib.get_close_matches(choice[2], words)
            return f"did you mean '{near[0]}'?" if near else f"see {self.prog} --help"
        if "arguments are required" in message:
            missing = message.rsplit(": ", 1)[-1].replace(",", "")
            listed = "; 'sdrl runs' lists the runs here" if "RUN" in missing.split() else ""
            return f"write {self.prog} {self._needed()}; '{self.prog} --help' tells more{listed}"
        return f"run '{self.prog} --help'"

    def _needed(self) -> str:
        """All that must be written behind the command, not what is missing alone: it can be copied."""
        words = []
        for action in self._actions:
            if action.required:
                flag = f"{action.option_strings[0]} " if action.option_strings else ""
                words.append(f"{flag}{action.metavar or action.dest.upper()}")
        return " ".join(words)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = ["usage: sdrl COMMAND [...]", "", "From a task definition to a trained model: spec, plan, run, report.", ""]
    lines += [f"  {name:<{width}}  {help_}" for name, (_, help_) in COMMANDS.items()]
    lines += [
        "",
        "Begin with: sdrl tui, which asks for one thing after the other; or sdrl init my-task, and an editor.",
    ]
    lines += ["sdrl COMMAND --help tells more; sdrl --version prints the version."]
    return "\n".join(lines)


def _unknown(name: str) -> int:
    import difflib

    other = OTHER_NAMES.get(name.lower())
    close = [other] if other else difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean 'sdrl {close[0]}'?" if close else "run 'sdrl --help' for the list"
    if name in ("-v", "version"):
        hint = "write sdrl --version"
    elif name.endswith((".yaml", ".yml")):
        hint = f"name a command before the spec, for example: sdrl validate {name}"
    elif os.path.isfile(os.path.join(name, "plan.json")):
        hint = f"name a command before the plan: sdrl run {name}"
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
