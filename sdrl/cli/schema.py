"""``sdrl schema``: the JSON Schema of the spec language on stdout, for editors and other tools."""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments: there is one version."""
    parser.epilog = "Save it and name it in the first line of a spec: # yaml-language-server: $schema=sdrl.schema.json"


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    from sdrl.spec.schema import schema_text

    sys.stdout.write(schema_text())
    return 0
