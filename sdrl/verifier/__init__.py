"""The verifier: a data program (``verifier.json``) becomes a callable; completion and gold in, verdict out.

Depends on nothing else of sdrl, so that an export can ship this folder alone. Importing it loads neither math-verify
nor re2; they are loaded when a program first needs them.
"""

from __future__ import annotations

from sdrl.verifier.plugin import Unreadable
from sdrl.verifier.program import Program, ProgramError, read_program
from sdrl.verifier.result import Extraction, Judgement, Verdict
from sdrl.verifier.verifier import Verifier

__all__ = ["Extraction", "Judgement", "Program", "ProgramError", "Unreadable", "Verdict", "Verifier", "read_program"]
