"""``sdrl schema``: the JSON Schema of the spec language, or of suites, on stdout, for editors and other tools."""

from __future__ import annotations

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """One argument: there is one version of each."""
    parser.add_argument("--suite", action="store_true", help="the schema of suites (sdrl compare)")
    parser.epilog = "Save it and name it in the first line of a spec: # yaml-language-server: $schema=sdrl.schema.json"


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    if args.suite:
        from sdrl.compare.schema import suite_schema_text

        sys.stdout.write(suite_schema_text())
    else:
        from sdrl.spec.schema import schema_text

        sys.stdout.write(schema_text())
    return 0
