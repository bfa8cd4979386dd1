"""The worker process around math-verify: pairs of expressions in on stdin, verdicts out on stdout, one JSON line each.

Run as a script (``python -P math_worker.py``); imports nothing of this package. It may be killed at any time: it keeps
no state that matters. It bounds its own memory and, by timers, the processor time of each pair: a busy machine, or one
that stands still for a while, changes no verdict. Ends when stdin closes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from decimal import Decimal
from functools import lru_cache
from types import FrameType
from typing import Any, Final

SOFT_CPU_S: Final = 0.7  # processor time of one pair
# Processor time after which the system ends this process: inside one long step of the interpreter too, where no handler
# runs.
HARD_CPU_S: Final = 0.95
MEMORY_BYTES: Final = 3 << 30
DIGITS: Final = 30
ROUNDING: Final = Decimal("1e-6")
MAX_EXACT_DIGITS: Final = 3_000
_EQUALS: Final = re.compile(r"(?<![<>!:=])=(?!=)|(?<!\\)[{}]")
_NAME: Final = re.compile(r"(?:[A-Za-z]|\\[A-Za-z]+)(?:_\{[^{}]*\})?'*(?:\([A-Za-z,]*\))?(?:\^\{-1\}\([a-z]\))?")
_COMMAND: Final = re.compile(r"\\[A-Za-z]+")
_LETTER: Final = re.compile(r"[A-Za-z]")
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
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import parse
    from math_verify.parser import LatexExtractionConfig

    # Only the LaTeX grammar: math-verify's plain expressions go through sympy's parser, which evaluates Python. Units
    # are taken away before; math-verify would take letters too (`2t`, `5c`) that are variables.
    normal = NormalizationConfig(units=False, malformed_operators=True, nits=True, boxed="none")
    config = [LatexExtractionConfig(boxed_match_priority=-1, normalization_config=normal)]
    return tuple(parse(f"${text}$", extraction_config=config, fallback_mode="no_fallback", parsing_timeout=None))


def _value(expression: Any) -> Any:
    """The number of an expression without variables as a sympy number, or None. A lone ``i`` is the imaginary unit."""
    import sympy

    if not isinstance(expression, sympy.Expr):
        return None
    expression = _with_imaginary_unit(expression)
    if expression.free_symbols:
        return None
    value = expression.doit().evalf(DIGITS)
    return value if value.is_number and value.is_finite else None


def _with_imaginary_unit(expression: Any) -> Any:
    import sympy

    if not expression.free_symbols or any(symbol.name != "i" for symbol in expression.free_symbols):
        return expression
    return expression.subs(dict.fromkeys(expression.free_symbols, sympy.I))


class _Numbers:
    """Whether two numbers are one, by their distance and not by a rounding.

    A tolerance up to the default forgives the rounding of decimals only: where both sides are exact (``1/2^{98}``,
    ``\\sqrt{2}``) they must be equal. A wider one holds for all.
    """

    def __init__(self, absolute: str, relative: str) -> None:
        self._absolute, self._relative = Decimal(absolute), Decimal(relative)

    def same(self, left: Any, right: Any, x: Any, y: Any) -> bool:
        """Whether the expressions, whose values are ``x`` and ``y``, are one number."""
        import sympy

        scale, gap = max(abs(x), abs(y)), abs(x - y)
        exact = not (left.has(sympy.Float) or right.has(sympy.Float))
        bound = sympy.Float(str(self._relative), DIGITS) * scale
        if not exact or self._absolute > ROUNDING:
            bound = max(bound, sympy.Float(str(self._absolute), DIGITS))
        if gap <= bound:
            return True
        if gap > sympy.Float("1e-20", DIGITS) * scale and not (_is_noise(x) or _is_noise(y)):
            return False
        if exact and scale and abs(sympy.log(scale, 10)) < MAX_EXACT_DIGITS:
            a, b = _with_imaginary_unit(left).doit(), _with_imaginary_unit(right).doit()
            if a.is_Rational and b.is_Rational:
                return bool(a == b)
        return bool(gap <= sympy.Float("1e-20", DIGITS) * (1 + scale))


def _is_noise(value: Any) -> bool:
    """Whether a value is what is left of an exact zero: sympy keeps hardly a digit of it."""
    import sympy

    return any(part != 0 and getattr(part, "_prec", 53) < 20 for part in sympy.sympify(value).as_real_imag())


def _pieces(expression: Any) -> list[Any] | None:
    """The parts of a compound answer in an order that two equal ones share, or None."""
    import sympy

    if isinstance(expression, sympy.Eq):
        return [expression.lhs, expression.rhs]
    if isinstance(expression, sympy.Interval):
        return [expression.start, expression.end]
    if isinstance(expression, sympy.MatrixBase):
        return list(expression.flat())
    if isinstance(expression, sympy.Tuple):
        return list(expression.args)
    if isinstance(expression, sympy.FiniteSet):
        values = [(_value(part), part) for part in expression.args]
        if all(value is not None and value.is_real for value, _ in values):
            return [part for _, part in sorted(values, key=lambda pair: float(pair[0]))]
    return None


def _is_symbol(expression: Any) -> bool:
    import sympy

    return isinstance(expression, sympy.Symbol)


def _is_zero_difference(a: Any, b: Any) -> bool:
    import sympy

    return isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr) and bool(sympy.simplify((a - b).doit()) == 0)


def _disagree(a: Any, b: Any, numbers: _Numbers) -> bool:
    """Whether two answers certainly differ, in a number or at a sample point."""
    import sympy

    if not (isinstance(a, sympy.Expr) and isinstance(b, sympy.Expr)) or isinstance(a, sympy.MatrixBase):
        left, right = _pieces(a), _pieces(b)
        if left is None or right is None or len(left) != len(right) or type(a) is not type(b):
            return False
        if isinstance(a, sympy.Eq) and left[0] != right[0]:
            return False  # the same equation in another order, or another multiple of it
        return any(_disagree(one, two, numbers) for one, two in zip(left, right, strict=True))
    if a.free_symbols != b.free_symbols:
        return False
    if not a.free_symbols:
        x, y = _value(a), _value(b)
        return x is not None and y is not None and not numbers.same(a, b, x, y)
    symbols = sorted(a.free_symbols, key=str)
    for shift in range(len(_POINTS)):
        at = {symbol: sympy.Float(_POINTS[(i + shift) % len(_POINTS)], DIGITS) + i for i, symbol in enumerate(symbols)}
        one, two = _value(a.subs(at)), _value(b.subs(at))
        if one is not None and two is not None and abs(one - two) > 1e-9 * (1 + abs(two)):
            return True
    return False


def _sides(text: str) -> list[str]:
    """What must all be equal to a bare value: ``x=5`` says 5, ``3+4=7`` says 7 twice, ``x+y=5`` says no value."""
    sides = [text[slice(*span)] for span in _spans(text)]
    if len(sides) < 2 or "," in text:
        return [text]
    if _NAME.fullmatch(sides[0].strip()):
        return sides[1:]
    return sides if not _LETTER.search(_COMMAND.sub("", sides[0])) else []


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the sides of an equation stand; an equals sign inside braces (a sum's bounds) parts nothing."""
    spans, start, depth = [], 0, 0
    for match in _EQUALS.finditer(text):
        if match.group() == "=" and depth == 0:
            spans.append((start, match.start()))
            start = match.end()
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
    return [*spans, (start, len(text))]


def compare(a: str, b: str, absolute: str, relative: str) -> bool:
    """Whether prediction ``a`` equals gold ``b``."""
    a_parted, b_parted = len(_spans(a)) > 1, len(_spans(b)) > 1
    if a_parted != b_parted:
        sides, value = (_sides(a), b) if a_parted else (_sides(b), a)
        return bool(sides) and all(_compare(side, value, absolute, relative) for side in sides)
    return _compare(a, b, absolute, relative)


def _compare(a: str, b: str, absolute: str, relative: str) -> bool:
    from math_verify import verify

    left, right = _parse(a), _parse(b)
    if not left or not right:
        return False
    numbers = _Numbers(absolute, relative)
    x, y = _value(left[0]), _value(right[0])
    if x is not None and y is not None:
        return numbers.same(left[0], right[0], x, y)
    if _disagree(left[0], right[0], numbers):
        return False  # before math-verify, which would solve two equations for every symbol first
    if _is_symbol(left[0]) != _is_symbol(right[0]) and left[0].free_symbols == right[0].free_symbols:
        return _is_zero_difference(left[0], right[0])  # math-verify compares a lone symbol by its name alone
    return bool(verify(right[0], left[0], allow_set_relation_comp=True, timeout_seconds=None))


def answer(request: dict[str, str]) -> dict[str, object]:
    """The reply to one request. Every failure but the deadline's is named in the reply."""
    signal.setitimer(signal.ITIMER_PROF, HARD_CPU_S)
    signal.setitimer(signal.ITIMER_VIRTUAL, SOFT_CPU_S)
    try:
        return {"equal": compare(request["a"], request["b"], request["abs"], request["rel"])}
    except Deadline:
        return {"error": "the comparison passed its deadline"}
    except Exception as error:  # named border: what fails in sympy is this pair's error, not the worker's end
        return {"error": f"the comparison failed: {type(error).__name__}"}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


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
    signal.signal(signal.SIGVTALRM, _on_alarm)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)

    import logging

    logging.disable(logging.CRITICAL)
    try:
        for left, right in _WARM_UP:  # imports, and what sympy builds at first use, before the first deadline runs
            compare(left, right, "0", "0")
    except ImportError as error:
        replies.write(json.dumps({"failed": str(error)}) + "\n")
        return
    _confine()
    replies.write('{"ready": true}\n')
    replies.flush()
    for line in sys.stdin:
        reply = answer(json.loads(line))
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
