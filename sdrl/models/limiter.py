"""How many calls may be in flight to one endpoint, and how evenly they leave: the width follows what it accepts.

One number, the width, serves servers that cap calls in flight and servers that cap calls a second, because sends are
spread over the time that one call takes (Little's law: width / latency calls a second). Congestion is a share of
refusals (429, 503) in a window, never a single one: that one delays its own row only.

* start: the declared width at once, its first sends spread over ``START_SECONDS``, so that refusals are heard early;
* cut: to the calls that were in flight and not refused, which is the capacity itself, not half of it;
* search: after the first cut the width doubles each round until it is cut again, for the first estimate is rough;
* hold: a width found twice is kept, for longer each time it is found again, then tried a little wider; where wider was
  refused before, the width goes straight back: a bucket of tokens fills while too little is sent, so that the calls in
  flight at the first refusal say more than the rate that can be kept;
* background: refusals that do not become fewer when the width shrinks have another cause, and the width is restored.
  It costs some hundred calls to tell them apart, at a narrow width.

A refused place stays taken for the time one call takes; otherwise one place too many would refuse row after row.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

REFUSED_SHARE = 0.08  # a window with more than this share of refusals is congestion
CALM_SHARE = 0.01  # what a held width may have; above it is trimmed
START_SECONDS = 0.2
MARGIN = 0.97
_SMALL = 20  # widths below have no margin: 3 % of a few places would be a whole one
_HOLD_CALLS = 100
_MOST_HOLD_CALLS = 3200
_BOLD = 0.6
_SURE = 40  # answers before a share is believed
_HELD_ROUND = 200
_GENTLE = 1.25  # up to this many times a proven width, wider is tried in small steps
_SAME_PLACE = 1.08
_CREEP = 0.25  # of the way from a proven width to where more was refused: a proven width may have been found too low
_SPREAD = 1.1  # sends may run this much faster than width / latency
_BURST_SECONDS = 0.005
_FIRST_LATENCY = 0.25
_MOST_BURNT_SECONDS = 2.0

Told = Callable[[int, str], None]


@dataclass
class _Window:
    """Calls of one epoch since it was opened: one round is about as many as the limiter is wide."""

    sent: int = 0
    answers: int = 0
    refused: int = 0

    @property
    def share(self) -> float:
        """Refusals among the calls; those not answered yet count as accepted."""
        return self.refused / max(1, self.sent, self.answers)

    def add(self, other: _Window) -> None:
        """Count the calls of another window too."""
        self.sent += other.answers  # by now all of them are answered
        self.answers += other.answers
        self.refused += other.refused


@dataclass
class _Proven:
    """A ceiling that a whole hold bore out, for how many calls, and the width at which more than it was refused."""

    ceiling: float
    hold_calls: int
    refused_at: float | None = None
    is_confirmed: bool = False  # what was in flight at that refusal turned out to be more than can be kept

    def is_about(self, ceiling: float) -> bool:
        return abs(ceiling - self.ceiling) <= max(1.5, 0.15 * self.ceiling)


class Limiter:
    """A semaphore whose width follows what the endpoint can take. ``tell(width, reason)`` hears of every turn."""

    def __init__(self, most: int, tell: Told = lambda width, reason: None) -> None:
        self.most = most
        self.limit = float(most)
        self.in_flight = 0
        self.latency: float | None = None
        self._tell = tell
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._burnt = 0
        self._epoch = 0  # counts the cuts; an answer to a call from before the last one judges the old width
        self._epoch_began = 0.0
        self._window = _Window()
        self._is_searching = False
        self._ceiling: float | None = None  # what the last cut found
        self._step = 0.0
        self._held = _Window()
        self._held_calls = 0
        self._hold_calls = _HOLD_CALLS
        self._proven: _Proven | None = None
        self._background = 0.0
        self._cuts = 0  # since the last calm round
        self._width_before = self.limit  # when the first of them began
        self._evidence: tuple[float, float] | None = None  # a width in that series and the share refused at it
        self._told = self.limit
        self._next_send = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self) -> int:
        """Wait for a place, first come, first served; returns the epoch to give back with the answer."""
        if not self._waiting and self._may_send(now := self._now()):
            return self._take(now)
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._wake()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # the place was given as we were cancelled: pass it on
                self.release()
            raise

    def release(self) -> None:
        """Give the place back."""
        self.in_flight -= 1
        self._wake()

    def answered(self, epoch: int, seconds: float | None = None) -> None:
        """A call was answered and not refused; ``seconds`` it took where the answer was a good one."""
        if seconds is not None:
            self.latency = seconds if self.latency is None else 0.9 * self.latency + 0.1 * seconds
        if epoch == self._epoch:
            self._window.answers += 1
            self._judge()

    def refused(self, epoch: int, seconds: float = 0.0) -> None:
        """A call was refused for load, after ``seconds``. Call it while the place is still held."""
        self._burn(seconds)
        if epoch == self._epoch:
            self._window.answers += 1
            self._window.refused += 1
            self._judge()
        elif epoch == self._epoch - 1 and self._ceiling is not None:  # it was counted as accepted by the last cut
            self._ceiling = max(1.0, self._ceiling - 1)
            self._set(min(self.limit, _with_margin(self._ceiling)))

    # --- what a window means ---

    def _judge(self) -> None:
        window = self._window
        if window.refused > self._most_refusals():
            self._cut()
        elif window.answers >= self._round():
            self._window = _Window()
            self._end_round(window)

    def _round(self) -> int:
        return max(4 if self._is_searching else _SURE, int(self.limit))

    def _most_refusals(self) -> float:
        """Refusals that one window may have before it is congestion."""
        if self.latency is None:  # nothing was answered yet: what is still in flight was accepted so far
            return max(5.0, 3 + REFUSED_SHARE * self._window.sent)
        expected = self._background * self._round()
        usual = expected + 2 * math.sqrt(expected) + 2
        if self._is_searching or self._is_growing():
            return usual
        congested = (REFUSED_SHARE + self._background) * self._round()
        return max(usual, congested + (math.sqrt(congested) if self._ceiling is not None else 0))

    def _is_growing(self) -> bool:
        return self._ceiling is not None and self._held_calls >= self._hold_calls

    def _cut(self) -> None:
        window, share = self._window, self._window.share
        if self._cuts > 1 and window.answers < _SURE and share < 0.5:  # the last cut did not help: be sure of this one
            return
        accepted = float(self.in_flight - 1)  # the refused call still has its place
        if window.answers >= max(_SURE, self.limit):
            accepted = min(accepted, self.limit * (1 - share + self._background))
        if self._is_growing():
            accepted = self._after_growth(accepted)
        narrower = self._unless_background(window, max(1.0, accepted))
        if narrower is None:
            return
        self._is_searching = self._ceiling is None
        self._hold_calls = self._next_hold(narrower)
        self._ceiling = narrower
        self._start_epoch()
        self._set(_with_margin(narrower), f"{window.refused} of {window.sent} calls refused")

    def _after_growth(self, accepted: float) -> float:
        """The ceiling after wider was tried and refused: the proven one where that is known to be all there is."""
        proven = self._proven
        if proven is None:
            return accepted
        if proven.is_confirmed and proven.refused_at is not None and self.limit <= _SAME_PLACE * proven.refused_at:
            return proven.ceiling + _CREEP * (self.limit - proven.ceiling)
        proven.refused_at, proven.is_confirmed = self.limit, False
        return accepted

    def _next_hold(self, ceiling: float) -> int:
        """Calls for which a ceiling just found is held before wider is tried."""
        proven = self._proven
        if proven is None or not proven.is_about(ceiling):
            return _HOLD_CALLS
        proven.is_confirmed = proven.refused_at is not None
        return min(2 * proven.hold_calls, _MOST_HOLD_CALLS)

    def _unless_background(self, window: _Window, narrower: float) -> float | None:
        """The width to cut to; None when narrower widths did not lower the share of refusals: load is not their cause.

        A cut that did not help is followed by a bold one. If that does not help either, the width before is restored.
        """
        self._cuts += 1
        if self._cuts == 1:
            self._width_before = self.limit
        is_settled = self._now() - self._epoch_began >= 2 * (self.latency or 0)  # those in flight before are gone
        if window.answers < _SURE or not is_settled:
            return narrower
        width, share = self._evidence or (math.inf, 0.0)
        if self._cuts < 3 or self._evidence is None or window.share < 0.7 * share:
            self._evidence = (self.limit, window.share)
            return narrower
        if self.limit > _BOLD * width + 1:
            return min(narrower, _BOLD * width)
        self._background = window.share
        self._ceiling = None
        self._is_searching = False
        self._calm()
        self._start_epoch()
        self._set(self._width_before, f"{100 * window.share:.0f} % are refused at any width")
        return None

    def _calm(self) -> None:
        self._cuts, self._evidence = 0, None

    def _start_epoch(self) -> None:
        self._epoch += 1
        self._epoch_began = self._now()
        self._window, self._held = _Window(), _Window()
        self._held_calls, self._step = 0, 0.0

    def _end_round(self, window: _Window) -> None:
        """A round without congestion: grow, hold or trim."""
        excess = window.share - self._background
        if self._ceiling is None:
            self._background = 0.8 * self._background + 0.2 * min(window.share, 1.2 * self._background + CALM_SHARE)
            self._calm()
            self._set(self.limit + max(1.0, self.limit / 4))
        elif self._is_searching and excess <= CALM_SHARE:
            self._calm()
            self._set(self.limit * 2)
        elif not self._is_growing():
            self._is_searching = False
            self._held_calls += window.answers
            self._held.add(window)
            if self._held.answers >= _HELD_ROUND:
                held, self._held = self._held, _Window()
                self._trim(held)
        else:
            self._calm()
            self._grow()

    def _grow(self) -> None:
        """A little wider than what was held, and with larger steps where that goes well."""
        assert self._ceiling is not None
        if not self._step:
            before = self._proven
            refused_at = before.refused_at if before is not None and before.is_about(self._ceiling) else None
            self._proven = _Proven(self._ceiling, self._hold_calls, refused_at, refused_at is not None)
        is_gentle = self._proven is None or self.limit < _GENTLE * self._proven.ceiling
        self._step = max(1.0, 0.02 * self.limit, 0.0 if is_gentle else 1.5 * self._step)
        self._set(self.limit + self._step)

    def _trim(self, held: _Window) -> None:
        """Narrow a held width that is refused a little too often: too little to be congestion, over many calls."""
        excess = held.share - self._background
        if excess <= CALM_SHARE + math.sqrt(CALM_SHARE / held.answers):
            self._background = min(self._background, held.share)
            self._calm()
        elif (narrower := self._unless_background(held, self.limit * (1 - min(excess, 0.1)))) is not None:
            if narrower < 0.85 * self.limit:  # a bold cut, to learn: wider is tried again soon
                self._hold_calls, self._held_calls = _HOLD_CALLS, 0
            self._set(max(1.0, narrower))

    def _set(self, limit: float, reason: str = "") -> None:
        before, self.limit = self.limit, max(1.0, min(float(self.most), limit))
        if reason or abs(self.limit - self._told) >= 0.2 * self._told:
            self._told = self.limit
            self._tell(int(self.limit), reason or ("wider" if self.limit > before else "narrower"))
        if self.limit > before:
            self._wake()

    # --- places and their pace ---

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _burn(self, took: float) -> None:
        """Keep one more place taken for what is left of the time that a call takes."""
        left = min(_MOST_BURNT_SECONDS, self.latency or _FIRST_LATENCY) - took
        if left > 0:
            self._burnt += 1
            asyncio.get_running_loop().call_later(left, self._heal)

    def _heal(self) -> None:
        self._burnt -= 1
        self._wake()

    def _gap(self) -> float:
        """Seconds between two sends; 0 is no pace: nothing was ever refused."""
        if self.latency is None:
            return START_SECONDS / self.most
        if self._ceiling is None:
            return 0.0
        return self.latency / (self.limit * _SPREAD)

    def _may_send(self, now: float) -> bool:
        return self.in_flight + self._burnt < int(self.limit) and (now >= self._next_send or not self._gap())

    def _take(self, now: float) -> int:
        self.in_flight += 1
        self._window.sent += 1
        if gap := self._gap():
            self._next_send = max(self._next_send, now - _BURST_SECONDS) + gap
        return self._epoch

    def _wake(self) -> None:
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._waiting and self._may_send(now):
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(self._take(now))
        if self._waiting and self._timer is None and self.in_flight + self._burnt < int(self.limit):
            self._timer = loop.call_at(max(self._next_send, now + 0.0005), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._wake()


def _with_margin(accepted: float) -> float:
    return accepted if accepted < _SMALL else accepted * MARGIN
