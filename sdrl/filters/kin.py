"""Which kept samples a new one is meant to be close to, and is therefore not compared with for likeness.

They are the sample that it was adapted from, and the other forms of its demo where a method writes forms of demos (the
same question with another number unknown). Being equal to one of them is another matter: ``duplicates`` sees all.
"""

from __future__ import annotations

from collections import defaultdict

from sdrl.compiler.method_use import demo_of
from sdrl.filters.text import Sample


class Kin:
    """Remembers the forms of each demo."""

    def __init__(self) -> None:
        self._forms: dict[str, set[str]] = defaultdict(set)

    def of(self, sample: Sample) -> set[str]:
        """The ids of ``sample``'s kin among what was kept, and of its parent."""
        parent, demo = sample.get("parent"), demo_of(sample)
        found = {str(parent)} if parent else set()
        return found | self._forms.get(demo, set()) if demo else found

    def remember(self, sample: Sample) -> None:
        """``sample`` was kept."""
        if demo := demo_of(sample):
            self._forms[demo].add(str(sample["id"]))
