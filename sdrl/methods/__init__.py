"""Synthesis methods: each a way of filling the generate prompt, named in ``synthesize.method``.

A method is a function from an ``Attempt`` (which part, which passage, which demos) to a ``Draft`` (which template,
which values). It asks no model and reads no file, so that a prompt is a function of the plan and the attempt's number.
"""

from __future__ import annotations

from collections.abc import Callable

from sdrl.methods.attempt import Attempt, Draft
from sdrl.methods.grounded import grounded

METHODS: dict[str, Callable[[Attempt], Draft]] = {"grounded": grounded}

__all__ = ["METHODS", "Attempt", "Draft"]
