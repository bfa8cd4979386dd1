"""The worker process around math-verify: pairs of expressions in on stdin, verdicts out on stdout, one JSON line each.

Run as a script (``python -P math_worker.py``); imports nothing of this package. It may be killed at any time: it keeps
no state that matters. It bounds its own memory and, by a timer, the time of each pair; the parent kills it when even
that does not help. Ends when stdin closes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from decimal import Decimal
from functools import lru_cache
from types import FrameType
from typing import Any, Final

SOFT_DEADLINE_S: Final = 0.7
MEMORY_BYTES: Final = 3 << 30
DIGITS: Final = 30
# Points where two expressions that math-verify holds equal must agree too.
_POINTS: Final = ("1.3717421", "-0.6180339", "2.7320508")
_WARM_UP: Final = (
    ("\\frac{1}{2}", "x"),
    ("\\sqrt{16}", "4"),
    ("x^2+2x+1", "(x+1)^2"),
    ("(1,2]", "[1,2)"),
    ("\\{1,2\\}", "2,1"),
    ("x>\\pi", "x=\\ln 2"),
)


class Deadline(BaseException):
    """Out of time. Not an Exception, so that no ``except Exception`` of a library swallows it."""


def _on_alarm(signum: int, frame: FrameType | None) -> None:
    raise Deadline


@lru_cache(maxsize=2_048)
def _parse(text: str) -> tuple[Any, ...]:
    from math_verify import parse
    from math_verify.parser import LatexExtractionConfig

    # Only the LaTeX grammar: math-verify's plain expressions go through sympy's parser, which evaluates Python.
    config = [LatexExtractionConfig(boxed_match_priority=-1)]
    return tuple(parse(f"${text}$", extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None))


def _value(expression: Any) -> Any:
    """The number of an expression without variables as a sympy number, or None. A lone ``i`` is the imaginary unit."""
    import sympy

    if not isinstance(expression, sympy.Expr):
        return None
    if expression.free_symbols:
        if any(symbol.name != "i" for symbol in expression.free_symbols):
            return None
        expression = expression.subs(dict.fromkeys(expression.free_symbols, sympy.I))
    value = expression.doit().evalf(DIGITS)
    return value if value.is_number and value.is_finite else None


def _disagree(a: Any, b: Any) -> bool:
    """Whether two expressions, said to be equal, differ at a sample point."""
    import sympy

    if not (isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr)) or a.free_symbols != b.free_symbols:
        return False
    symbols = sorted(a.free_symbols, key=str)
    for shift in range(len(_POINTS)):
        at = {symbol: sympy.Float(_POINTS[(i + shift) % len(_POINTS)], DIGITS) + i for i, symbol in enumerate(symbols)}
        left, right = _value(a.subs(at)), _value(b.subs(at))
        if left is not None and right is not None and abs(left - right) > 1e-9 * (1 + abs(right)):
            return True
    return False


def compare(a: str, b: str, absolute: str, relative: str) -> bool:
    """Whether prediction ``a`` equals gold ``b``."""
    from math_verify import verify

    left, right = _parse(a), _parse(b)
    if not left or not right:
        return False
    x, y = _value(left[0]), _value(right[0])
    if x is not None and y is not None:
        import sympy

        # Two numbers: decided by their distance, whatever math-verify would round them to.
        bound = sympy.Float(absolute, DIGITS)
        if Decimal(relative):
            bound = max(bound, sympy.Float(relative, DIGITS) * max(abs(x), abs(y)))
        floor = sympy.Float("1e-20", DIGITS) * (1 + abs(y))
        return bool(abs(x - y) <= max(bound, floor))
    if not verify(right[0], left[0], timeout_seconds=None):
        return False
    return not _disagree(left[0], right[0])


def answer(request: dict[str, str]) -> dict[str, object]:
    """The reply to one request. Every failure but the deadline's is named in the reply."""
    signal.setitimer(signal.ITIMER_REAL, SOFT_DEADLINE_S)
    try:
        return {"equal": compare(request["a"], request["b"], request["abs"], request["rel"])}
    except Deadline:
        return {"error": "the comparison passed its deadline"}
    except Exception as error:  # named border: what fails in sympy is this pair's error, not the worker's end
        return {"error": f"the comparison failed: {type(error).__name__}"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _confine() -> None:
    """Bound memory and forbid writing files, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for what, limit in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or hard >= limit:
            resource.setrlimit(what, (limit, hard))


def main() -> None:
    """Serve until stdin closes."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing a library prints may enter the protocol
    # The parent's folders come last: a script beside the user's own must not shadow a module the libraries need.
    sys.path += [entry for entry in json.loads(sys.stdin.readline()) if entry not in sys.path]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it closes the pipe
    signal.signal(signal.SIGALRM, _on_alarm)

    import logging

    logging.disable(logging.CRITICAL)
    for left, right in _WARM_UP:  # imports, and what sympy builds at first use, before the first deadline runs
        compare(left, right, "0", "0")
    _confine()
    replies.write('{"ready": true}\n')
    replies.flush()
    for line in sys.stdin:
        reply = answer(json.loads(line))
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
