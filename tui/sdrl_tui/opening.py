"""Which spec is on the desk: the first one, another in its place, and what becomes of it when the app ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.events import Resized
from sdrl.authoring.naming import spec_path
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl_tui.app import SdrlApp


class Opening:
    """Of one app."""

    def __init__(self, app: SdrlApp) -> None:
        self._app = app

    def first(self) -> bool:
        """Open the spec that the app was started on; whether that could be done. Where not, the app ends."""
        app = self._app
        try:
            app.desk.open()
        except (SdrlError, OSError) as error:
            app.exit(message=f"{app.desk.path} cannot be opened: {_told(error)}", return_code=1)
            return False
        self.remember()
        return True

    def other(self, name: str) -> None:
        """Another spec in place of this one, whose text is kept."""
        app = self._app
        try:
            before, other = app.desk, app.desk_on(spec_path(name))
        except SdrlError as error:
            app.say(_told(error), is_bad=True)
            return
        if other.path.absolute() == Path(app.state.path).absolute():
            app.say(f"{name} is open already")
            return
        try:
            other.open()
        except (SdrlError, OSError) as error:
            app.say(f"{name} cannot be opened: {_told(error)}", is_bad=True)
            return
        if app.state.is_dirty:
            app.say(f"{before.path} is not saved; its text is kept and is there when you open it again")
        before.close()
        columns, app.desk = app.state.columns, other
        app.desk.dispatch(Resized(columns))
        self.remember()
        app.show_chat()
        app.draw_soon()

    def remember(self) -> None:
        """That the spec was opened or saved just now, for the next start; not where no journal is kept either."""
        if self._app.keeps_journal and self._app.desk.path.exists():
            self._app.settings.opened(self._app.desk.path)

    def left(self) -> str:
        """What becomes of the spec when the app ends, and how to go on."""
        state = self._app.state
        if state.is_new:
            return "nothing was written"
        if not state.is_dirty:
            return "saved"
        if not self._app.keeps_journal:
            return "not saved"
        return f"not saved, but kept: sdrl tui {state.path} goes on with it (from {self._app.desk.kept_in()})"


def _told(error: SdrlError | OSError) -> str:
    """What is wrong, and what to do."""
    return f"{error}; {error.help}" if isinstance(error, SdrlError) and error.help else str(error)
