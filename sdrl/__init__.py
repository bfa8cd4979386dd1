"""sdrl: from a task definition to a trained model.

Reading order: ``spec`` (what a person means), ``verifier`` (completion and gold to a verdict), ``compiler`` (spec to a
frozen plan), ``models`` and ``corpus`` (what a stage may ask), ``stages`` (Algorithm 1, one module a step), ``run``
(the executor), ``report`` (what it was worth), ``cli``. Importing this package does no work.
"""

from __future__ import annotations

__version__ = "0.1.0"
