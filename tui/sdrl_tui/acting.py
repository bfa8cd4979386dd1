"""What keys, clicks and the palette ask of the app: actions of the table, each the event that its command would be."""

from __future__ import annotations

from abc import abstractmethod

from textual import events, on
from textual.app import App
from textual.screen import Screen
from textual.widgets import OptionList, Tabs, TextArea

from sdrl.authoring.actions import ACTIONS, PANEL_KEYS, event_of
from sdrl.authoring.events import Acted, Event, Resized
from sdrl.authoring.keymap import Keys, shown
from sdrl.authoring.state import State
from sdrl.authoring.turns import shortened
from sdrl_tui.body import Body
from sdrl_tui.chat import Chat
from sdrl_tui.prompt import Prompt
from sdrl_tui.side import Side


class Acting(App[None]):
    """The half of the app that Textual calls by the names of actions; the other half draws and takes events."""

    keys: Keys

    @property
    @abstractmethod
    def state(self) -> State:
        """The state as it is."""

    @property
    @abstractmethod
    def main_screen(self) -> Screen[object]:
        """The screen below whatever is open over it."""

    @property
    @abstractmethod
    def where(self) -> str:
        """Where the keyboard is: chat, or a panel's name."""

    @abstractmethod
    def dispatch(self, event: Event) -> None:
        """Take an event."""

    @abstractmethod
    def say(self, text: str, *, is_bad: bool = False) -> None:
        """A notice that goes away."""

    @abstractmethod
    def draw(self) -> None:
        """Draw the state as it is."""

    def start_action(self, name: str) -> None:
        """An action by key, palette or mouse; one that needs an argument goes into the prompt first."""
        action = ACTIONS[name]
        if name == "amend" and self.state.open_card is not None:
            self.action_amend(f"{self.state.open_card.id} 1")
            return
        if action.usage and not action.usage.startswith("["):
            self.show_chat()
            self.main_screen.query_one(Prompt).put(f"/{name} ")
            return
        self.act(Acted(name))

    def act(self, event: Event) -> None:
        """Take an event; what it is about comes into view, be it a panel or the question before a run starts."""
        asked, told = self.state.offer, len(self.state.turns)
        self.dispatch(event)
        action = ACTIONS.get(event.action) if isinstance(event, Acted) else None
        if action is None:
            return
        if (action.group == "look" and action.id != "explain") or (
            action.id == "start" and asked and not self.state.offer
        ):
            self.show_side()
        elif action.id == "start":
            self.show_chat()
        self._say_what_is_hidden(told)

    def _say_what_is_hidden(self, told: int) -> None:
        """A notice of the app's last word after ``told`` turns, where a panel covers the chat that it stands in."""
        last = self.state.turns[-1] if len(self.state.turns) > told else None
        covers = self.main_screen.has_class("-side") and not self.main_screen.has_class("-wide")
        if covers and last is not None and last.role == "note":
            self.say(shortened(last.text, "the chat has it all"))

    def action_act(self, name: str) -> None:
        """A key of the table. What is being typed in the prompt has its own undo."""
        if self.screen.is_modal:
            self.screen.dismiss()
            if name in ("help", "palette"):
                return
        prompt = self.main_screen.query_one(Prompt)
        if name in ("undo", "redo") and self.focused is prompt and prompt.text:
            prompt.undo() if name == "undo" else prompt.redo()
            return
        if name == "spec" and self.main_screen.has_class("-side") and self.state.view == "spec":
            self.show_chat()
            return
        self.start_action(name)

    def action_act_on(self, name: str, argument: str) -> None:
        """A click on a key that stands for an action with its argument."""
        self.dispatch(Acted(name, argument))

    def action_command(self, line: str) -> None:
        """A click that stands for a command."""
        self.dispatch(event_of(f"/{line}"))

    def action_amend(self, field: str) -> None:
        """The command that changes a field of a card, into the prompt; ``field``: the card's number and the field's."""
        from sdrl.authoring.cards import amending

        card, _, number = field.partition(" ")
        found = next((each for each in self.state.cards if str(each.id) == card), None)
        if found is not None and found.changes:
            self.show_chat()
            self.main_screen.query_one(Prompt).put(amending(found, int(number)))

    def action_say_how_to_leave(self) -> None:
        """Ctrl+c where nothing is selected."""
        self.say(f"{shown(self.keys, 'quit')} leaves; {shown(self.keys, 'copy')} copies what is in view")

    def on_key(self, event: events.Key) -> None:
        """Single keys of the panel in view, where nothing is written into."""
        found = PANEL_KEYS.get(self.state.view, {}).get(event.key)
        if isinstance(self.focused, Prompt):  # typed before the keyboard came here, as the prompt handles its own keys
            self.focused.late(event)
        elif found is not None and not (self.screen.is_modal or isinstance(self.focused, TextArea)):
            event.stop()
            event.prevent_default()  # it may scroll elsewhere
            self.dispatch(Acted(*found))
        elif self._is_for_prompt(event):
            event.stop()
            self.show_chat()
            self.main_screen.query_one(Prompt).insert(event.character or "")

    def _is_for_prompt(self, event: events.Key) -> bool:
        """Whether a key was meant for the prompt, though a click took the keyboard elsewhere: anything in the chat, in
        a panel the slash that a command begins with.
        """
        if self.screen.is_modal or not event.is_printable or isinstance(self.focused, TextArea):
            return False
        return event.character == "/" or (self.where == "chat" and event.character != " ")

    @on(Prompt.Sent)
    def _sent(self, message: Prompt.Sent) -> None:
        self.main_screen.query_one(Chat).close_menu()
        self.act(event_of(message.text))

    @on(OptionList.OptionSelected, "#issues")
    def _issue_chosen(self, message: OptionList.OptionSelected) -> None:
        self.dispatch(Acted("issues", str(int(message.option_id or 0) + 1)))
        self.call_after_refresh(self.show_side)

    @on(Body.Resized)
    def _resized(self, message: Body.Resized) -> None:
        self.dispatch(Resized(message.columns))

    @on(Tabs.TabActivated, "#tabs")
    def _tab(self, message: Tabs.TabActivated) -> None:
        name = (message.tab.id or "").removeprefix("tab-")
        if name and name != self.state.view:
            self.dispatch(Acted(name))

    def show_side(self) -> None:
        """The panel in view, and the keyboard to it."""
        self.main_screen.add_class("-side")
        self.draw()
        self.main_screen.query_one(Side).focus_panel(self.state)

    def show_chat(self) -> None:
        """The chat, and the keyboard to its prompt."""
        self.main_screen.remove_class("-side")
        self.main_screen.set_focus(self.main_screen.query_one(Prompt))  # now: the next key is on its way already
