"""JSON Schemas of the operator's files, for editors that complete and check while one writes."""

import json
from pathlib import Path
from typing import Any

from settings.files import FILES

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WORDS = {"Do": ["repeat", "back", "person"], "WaitDo": ["call_back", "position"]}
"""What may be written as a word alone instead of a mapping of this shape."""


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each file by the schema's file name, such as `numbers.json`."""
    return {
        file.name.removesuffix(".yaml") + ".json": {
            "$schema": _DIALECT,
            "title": file.name,
            "description": file.about,
            **_suited(file.adapter.json_schema(by_alias=True)),
        }
        for file in FILES.values()
    }


def write(folder: Path) -> tuple[Path, ...]:
    """Writes every schema into `folder`; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = folder / name
        path.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        written.append(path)
    return tuple(written)


def _suited(schema: Any) -> Any:
    """The schema as operators write: words for actions, durations with units, no other names than allowed."""
    if isinstance(schema, list):
        return [_suited(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    suited = {key: _suited(value) for key, value in schema.items()}
    if "patternProperties" in suited:
        suited["additionalProperties"] = False
    for shape, words in _WORDS.items():
        if {"$ref": f"#/$defs/{shape}"} in suited.get("oneOf", []):
            suited["oneOf"].append({"enum": words})
    if isinstance(suited.get("default"), float):
        suited["default"] = f"{suited['default']:g}s"
    return suited
