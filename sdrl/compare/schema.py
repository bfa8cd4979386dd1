"""JSON Schema of the suite language, for editors: made from the models, as the spec's is.

``specs/suite.schema.json`` is its output; a test holds the two together. What may stand under a dotted key of
``set`` is in the spec's schema: an editor is not told it, ``sdrl compare SUITE --dry-run`` tells.
"""

from __future__ import annotations

import json
from typing import Any

from sdrl.compare.baselines import BASELINES, METHODS
from sdrl.compare.shipped import shipped_suites
from sdrl.compare.suite import Arm, Budget, Comparison, Control, DemoCount, HumanData, Suite
from sdrl.spec.schema import describe

FILE_NAME = "suite.schema.json"
_DOTTED = {"propertyNames": {"pattern": r"^[a-z_]+(\.[A-Za-z0-9_-]+)*$"}}


def suite_schema() -> dict[str, Any]:
    """The schema as plain data (draft 2020-12)."""
    schema = Suite.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    for table in (Suite, Arm, Budget, Comparison, Control, DemoCount, HumanData):
        target = schema if table is Suite else definitions[table.__name__]
        describe(target, table)
        if "set" in target["properties"]:
            target["properties"]["set"] |= _DOTTED
    named = {"enum": [*BASELINES, METHODS]}
    schema["properties"]["arms"]["items"] = {"anyOf": [{"$ref": "#/$defs/Arm"}, named]}
    definitions["Arm"]["properties"]["baseline"] |= {"anyOf": [named, {"type": "null"}]}
    definitions["Arm"]["properties"]["demos"]["anyOf"].insert(1, {"type": "integer", "minimum": 0})
    schema["properties"]["extends"] |= {"anyOf": [{"enum": list(shipped_suites())}, {"type": "null"}]}
    schema["anyOf"] = [{"required": ["extends"]}, {"required": ["arms"], "properties": {"arms": {"minItems": 1}}}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "sdrl suite, version 1"}


def suite_schema_text() -> str:
    """The schema as it is shipped."""
    return json.dumps(suite_schema(), ensure_ascii=False, indent=1) + "\n"
