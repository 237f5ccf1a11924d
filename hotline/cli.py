"""The command `bin/hotline`."""

import typer

from hotline import (
    cli_backup,
    cli_bans,
    cli_calls,
    cli_desk,
    cli_doctor,
    cli_drill,
    cli_export,
    cli_keep,
    cli_prompts,
    cli_report,
    cli_restart,
    cli_serve,
    cli_settings,
)

app = typer.Typer(
    help="The open 12345: a city's government hotline on Asterisk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for commands in (
    cli_settings,
    cli_serve,
    cli_desk,
    cli_doctor,
    cli_drill,
    cli_calls,
    cli_export,
    cli_backup,
    cli_keep,
    cli_restart,
    cli_bans,
    cli_prompts,
):
    for command in commands.COMMANDS:
        app.command()(command)
app.add_typer(cli_desk.token, name="token")
app.add_typer(cli_report.figures, name="report")
