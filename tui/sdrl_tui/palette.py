"""The palette's entries: the same table of actions as slash commands and keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from sdrl.authoring.actions import ACTIONS, Action

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp


class ActionProvider(Provider):
    """Finds actions by name or title; one that needs an argument is put into the prompt."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action in ACTIONS.values():
            yield DiscoveryHit(self._shown(action), partial(self._do, action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action in ACTIONS.values():
            score = matcher.match(f"{action.title} {action.id}")
            if score > 0:
                yield Hit(score, self._shown(action), partial(self._do, action), help=action.help)

    def _do(self, action: Action) -> None:
        cast("SdrlApp", self.app).start_action(action.id)

    def _shown(self, action: Action) -> str:
        keys = ", ".join(cast("SdrlApp", self.app).keys.get(action.id, ()))
        return f"{action.title}  /{action.id}" + (f"  {keys}" if keys else "")
