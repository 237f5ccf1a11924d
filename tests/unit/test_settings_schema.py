"""The JSON Schemas accept what operators write, and are current."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from settings.files import FILES
from settings.schema import schemas, write

KINDS = {"string": str, "integer": int, "boolean": bool, "null": type(None), "object": dict, "array": list}


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value fits, by the part of JSON Schema that ours use."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    wanted = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", list(KINDS))
    return (
        isinstance(value, tuple(KINDS[kind] for kind in wanted))
        and ("oneOf" not in schema or sum(fits(value, part, root) for part in schema["oneOf"]) == 1)
        and ("anyOf" not in schema or any(fits(value, part, root) for part in schema["anyOf"]))
        and ("enum" not in schema or value in schema["enum"])
        and ("const" not in schema or value == schema["const"])
        and (not isinstance(value, str) or re.search(schema.get("pattern", ""), value) is not None)
        and (not isinstance(value, list) or all(fits(item, schema.get("items", {}), root) for item in value))
        and (not isinstance(value, dict) or fits_mapping(value, schema, root))
    )


def fits_mapping(value: dict[Any, Any], schema: dict[str, Any], root: dict[str, Any]) -> bool:
    named = {str(key): item for key, item in value.items()}
    if not set(schema.get("required", [])) <= named.keys():
        return False
    for key, item in named.items():
        parts = [part for name, part in schema.get("properties", {}).items() if name == key]
        parts += [part for name, part in schema.get("patternProperties", {}).items() if re.search(name, key)]
        other = schema.get("additionalProperties", True)
        if not parts and (other is False or (isinstance(other, dict) and not fits(item, other, root))):
            return False
        if not all(fits(item, part, root) for part in parts):
            return False
    return True


def example(project: Path, file: str) -> Any:
    text = (project / "config" / file).read_text(encoding="utf-8")
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


@pytest.mark.parametrize("file", sorted(FILES))
def test_the_example_city_fits_its_schemas(project: Path, file: str) -> None:
    schema = schemas()[file.replace(".yaml", ".json")]
    assert fits(example(project, file), schema, schema)


def test_what_the_check_refuses_does_not_fit(project: Path) -> None:
    schema = schemas()["menus.json"]
    menus = example(project, "menus.yaml")
    for wrong in ("bak", {"menu": "main", "number": "12345"}, {"queue": "general", "prio": 1}, ["back"]):
        menus["main"]["keys"]["5"] = wrong
        assert not fits(menus, schema, schema)
    del menus["main"]["keys"]["5"]
    assert fits(menus, schema, schema)
    menus["Main"] = menus["main"]
    assert not fits(menus, schema, schema)


def test_the_schemas_beside_the_example_city_are_current(project: Path, tmp_path: Path) -> None:
    for path in write(tmp_path):
        beside = project / "config" / ".schema" / path.name
        assert beside.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted(FILES))
def test_each_example_file_names_its_schema(project: Path, file: str) -> None:
    first = (project / "config" / file).read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=.schema/{file.replace('.yaml', '.json')}"


def test_every_key_of_every_file_is_in_the_documents(project: Path) -> None:
    text = (project / "docs" / "settings.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `(\w+\.yaml)`(.*?)(?=^## |\Z)", text, re.M | re.S))
    for file in FILES:
        schema = schemas()[file.replace(".yaml", ".json")]
        parts = [schema, *schema.get("$defs", {}).values()]
        keys = {key for part in parts for key in part.get("properties", {})}
        missing = {key for key in keys if f"`{key}" not in sections[file]}
        assert not missing, f"docs/settings.md does not tell what {sorted(missing)} of {file} mean"
