"""The palette's entries: the same table of actions as slash commands and keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from sdrl.authoring.actions import ACTIONS, Action
from sdrl.authoring.asked import answer

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp


MEANT, TOLD = 1000.0, 100.0  # above letters that merely occur in this order


class ActionProvider(Provider):
    """Finds actions by name, by what they do, or by what a person calls that; one that needs an argument waits in the
    prompt.
    """

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in ACTIONS.values():
            yield DiscoveryHit(self._shown(action), partial(self._do, action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher, low = self.matcher(query), query.lower().strip()
        meant = answer(low)
        for action in ACTIONS.values():
            score = matcher.match(f"{action.title} {action.id}")
            if f"/{action.id} " in meant:
                score += MEANT
            elif low in f"{action.title} {action.id} {action.help}".lower():
                score += TOLD
            if score > 0:
                yield Hit(score, self._shown(action), partial(self._do, action), help=action.help)

    def _do(self, action: Action) -> None:
        cast("SdrlApp", self.app).start_action(action.id)

    def _shown(self, action: Action) -> str:
        keys = ", ".join(cast("SdrlApp", self.app).keys.get(action.id, ()))
        return f"{action.title}  /{action.id}" + (f"  {keys}" if keys else "")
