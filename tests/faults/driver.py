"""The child of the fault tests: ``sdrl`` as it is, told that the fake endpoint takes seeds and is quick to ask again.

What a run against a real endpoint has otherwise is set here and nowhere else: each call carries the seed of its first
draw (so that the fake's replies are a function of the draw), the key says which process asks, the delays between tries
are short, and nothing is given up for the time it takes on a busy machine, but where a test asks for it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sdrl.cli import run as command
from sdrl.cli.main import main

TIMEOUT_VARIABLE = "FAULT_TESTS_TIMEOUT_S"
PATIENCE_VARIABLE = "FAULT_TESTS_PATIENCE_S"  # with an endpoint that gives no good reply
WHO_VARIABLE = "FAULT_TESTS_WHO"  # where so many processes run that a process id comes twice


def prepare() -> None:
    """Patch the opening of models in this process."""
    from sdrl.models import open as opening
    from sdrl.run import executor

    serve_instructor, serve_base, settings = opening._serve_instructor, opening._serve_base, opening._settings

    def told(served: Any) -> Any:
        timeout = float(os.environ.get(TIMEOUT_VARIABLE, "600"))
        who = os.environ.get(WHO_VARIABLE, f"pid-{os.getpid()}")
        endpoint = replace(served.endpoint, sends_seed=True, key=who, timeout_s=timeout)
        return replace(served, endpoint=endpoint)

    def quick(*arguments: Any) -> Any:
        chosen = settings(*arguments)
        patience = float(os.environ.get(PATIENCE_VARIABLE, "600"))
        policy = replace(
            chosen.policy, first_delay=0.005, most_delay=0.05, never_answered=patience, silent=2 * patience
        )
        return replace(chosen, policy=policy)

    opening._serve_instructor = lambda *a, **k: told(serve_instructor(*a, **k))
    opening._serve_base = lambda *a, **k: told(serve_base(*a, **k))
    opening._settings = quick
    executor.COMING_IN_S = 3600.0


def run(words: Sequence[str]) -> int:
    """``sdrl`` with these words; the exit code."""
    inner = command._run

    def prepared(args: argparse.Namespace) -> int:
        prepare()
        return inner(args)

    command._run = prepared  # where a signal is heard already
    return main(list(words))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
