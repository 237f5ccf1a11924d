"""Options that every command has."""

from pathlib import Path
from typing import Annotated

import typer

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout: the example city is in it."""

ConfigFolder = Annotated[
    Path,
    typer.Option("--config", help="The folder with the city's settings.", show_default="the example city"),
]
DataFolder = Annotated[
    Path,
    typer.Option("--data", help="Where records, recordings, prompts and logs are kept.", show_default="var/"),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs (docs/records.md).")]

CONFIG = PROJECT / "config"
DATA = PROJECT / "var"
