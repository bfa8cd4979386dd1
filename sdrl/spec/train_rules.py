"""Rules of training: what may be set by TRL's own fields, and that a test set selects nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.model import Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded


def train_rules(loaded: Loaded, spec: Spec) -> Iterator[Diagnostic]:
    """E804 for each field of ``train.trl`` that TRL does not have, that is of another type, or that a key sets."""
    if not spec.train.trl:
        return  # the tables are read by specs that use them alone
    from sdrl.spec.trl_fields import refusal

    for name, value in spec.train.trl.items():
        wrong = refusal(spec.train.algorithm, str(name), value)
        if wrong is not None:
            yield loaded.diagnostic("E804", f"train.trl.{name}", wrong[0], help=wrong[1], found=str(name))
