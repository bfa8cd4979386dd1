"""The menu over the prompt: commands while a name is typed, then what the command's argument can be.

Holds what it offers and which entry is meant; what becomes of an entry is the chat's business. The first entry is what
tab takes. Among arguments it is not chosen: that takes an up or a down, and only then Enter is for the menu.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from sdrl.authoring.actions import Action, matching
from sdrl.authoring.completing import Choices, Completion

Kind = Literal["", "commands", "arguments", "usage"]
COMMAND_CELLS = 23
MOST_SHARE = 0.6  # of the width, for what stands left of what it is about
LEAST_WIDTH = 30
MOST_ROWS = 8


class Menu(OptionList):
    """``complete`` gives what may come next in a line; ``kind`` is '' while the menu is closed, ``usage`` where it only
    tells what a command takes.
    """

    def __init__(self, complete: Callable[[str], Choices]) -> None:
        super().__init__(id="menu", compact=True, markup=False)
        self._complete = complete
        self._entries: Sequence[Completion] = ()
        self._first = 0  # the line above the entries is none
        self.kind: Kind = ""
        self.is_chosen = False

    def follow(self, typed: str) -> None:
        """Open, filter or close it for what is typed."""
        if not typed.startswith("/") or typed.startswith("//") or "\n" in typed:
            self.close()
        elif " " in typed:
            self._offer_arguments(self._complete(typed))
        else:
            self._complete(typed)
            found = matching(typed[1:])
            self._offer("commands" if found else "", [_command(each) for each in found], [each.id for each in found])

    def _offer_arguments(self, choices: Choices) -> None:
        kind: Kind = "arguments" if choices.entries else "usage" if choices.asked else ""
        self._offer(kind, choices.entries, None, (choices.asked, choices.about) if choices.asked else None)

    def _offer(
        self,
        kind: Kind,
        entries: Sequence[Completion],
        names: Sequence[str] | None,
        head: tuple[str, str] | None = None,
    ) -> None:
        self.kind, self._entries, self._first, self.is_chosen = kind, entries, int(head is not None), False
        self.display = bool(kind)
        self.set_class(kind == "arguments", "-unchosen")
        if not kind:
            return
        most = 1_000 if kind == "commands" else self._most_cells()
        cells = COMMAND_CELLS if kind == "commands" else _widest(entries, most)
        made = [
            Option(_line(each.shown, each.about, cells, most), names[at] if names else None)
            for at, each in enumerate(entries)
        ]
        if head is not None:
            made.insert(0, Option(_line(*head, 0, 1_000), disabled=True))
        # known beforehand, so that a key that leaves it asks for no layout
        self.styles.height = min(len(made), MOST_ROWS)
        self.set_options(made)
        self.highlighted = self._first if entries else None

    def _most_cells(self) -> int:
        """How wide the left column may become."""
        within = self.parent
        width = within.size.width if isinstance(within, Widget) else 0
        return int(MOST_SHARE * max(width, LEAST_WIDTH))

    def move(self, by: int) -> None:
        """To the next entry or the one before; from now on it is chosen."""
        self.is_chosen = True
        self.remove_class("-unchosen")
        self.action_cursor_down() if by > 0 else self.action_cursor_up()

    @property
    def meant(self) -> Completion | None:
        """The entry that stands out."""
        return self.entry(self.highlighted) if self.highlighted is not None and self.kind else None

    def entry(self, index: int) -> Completion | None:
        """The entry of an option."""
        at = index - self._first
        return self._entries[at] if 0 <= at < len(self._entries) else None

    def close(self) -> bool:
        """Close it; whether it was open."""
        was_open = bool(self.kind)
        self.kind, self.display, self.is_chosen = "", False, False
        return was_open


def _command(action: Action) -> Completion:
    usage = f"/{action.id} {action.usage}".strip()
    return Completion(f"/{action.id} " if action.usage else f"/{action.id}", usage, action.title, bool(action.usage))


def _widest(entries: Sequence[Completion], most: int) -> int:
    """The width of the left column: that of its longest entry that has something beside it."""
    return min(max((cell_len(each.shown) for each in entries if each.about), default=0), most)


def _line(shown: str, about: str, cells: int, most: int) -> Content:
    """An entry and what it is about in their columns; an entry without that has the line to itself."""
    if not about:
        return Content(shown)
    if cell_len(shown) > most:
        shown = set_cell_size(shown, most - 1) + "…"
    return Content.assemble(set_cell_size(shown, max(cells, cell_len(shown))), "  ", (about, "dim"))
