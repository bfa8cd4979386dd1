"""``python -m tests.diagnostics.golden [CODE…]`` writes the golden texts and docs/diagnostics.md anew: read the diff.

With codes it plays only their scenes. ``make golden`` does all of it.
"""

from __future__ import annotations

import sys

from tests.diagnostics.page import PAGE, page
from tests.diagnostics.scene import GOLDEN, scenes
from tests.spec.test_bad_specs import FIXTURES, rendered


def main(codes: list[str]) -> None:
    """Write texts, then the page made of them."""
    for fixture in FIXTURES:
        fixture.with_suffix(".txt").write_text(rendered(fixture), encoding="utf-8")
    known = scenes()
    for each in known:
        if not codes or each.code in codes:
            text = each.text()
            if each.code not in text or "Traceback" in text:
                sys.exit(f"the scene {each.name} does not say {each.code}:\n{text}")
            each.golden.write_text(text, encoding="utf-8")
    for path in set(GOLDEN.glob("*.txt")) - {each.golden for each in known}:
        path.unlink()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
