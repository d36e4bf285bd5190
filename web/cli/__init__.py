"""The shell: `throwbar …`. Commands are imported when they are called, so that the shell is quick."""

from importlib import import_module
from typing import Any

import click

from controlplane.domain.errors import ThrowbarError, Unreachable
from controlplane.settings import SettingsError

# Name → where it is defined, and its line in `throwbar --help`, which must not import all of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("web.cli.serve:serve_command", "Start the web server and the scheduler."),
    "scheduler": ("web.cli.serve:scheduler_command", "Start the scheduler alone."),
    "demo": ("web.cli.demo.command:demo_command", "Watch a migration, its rollout, and its automatic rollback."),
    "flag": ("web.cli.flag:flag", "List, show, create, switch, share and roll back flags."),
    "import-config": ("web.cli.import_config:import_config", "Make a flag of an application's migration settings."),
    "export": ("web.cli.definitions:export", "Write the flags of an environment to a file."),
    "apply": ("web.cli.definitions:apply", "Make the flags of an environment as a file says."),
    "rollout": ("web.cli.rollout:rollout", "Start, watch and steer rollouts."),
    "backtest": ("web.cli.backtest:backtest", "Ask what another policy would have done."),
    "evidence": ("web.cli.evidence:evidence", "Recompute what the scheduler decided on."),
    "appointment": ("web.cli.appointment:appointment", "Single changes that are made at a set time."),
    "freeze": ("web.cli.appointment:freeze", "Spans in which no rollout moves on."),
    "checklist": ("web.cli.checklist:checklist", "What to look at before a migration, and to clean up after it."),
    "finish-line": ("web.cli.finish:finish_line", "Whether the baseline is unused, and who called it last."),
    "stale": ("web.cli.finish:stale", "Flags that look forgotten, and why."),
    "report": ("web.cli.report:report", "Whether a migration was a success, as a file to hand on."),
    "audit": ("web.cli.audit:audit", "Read, export and prove the audit log."),
    "environment": ("web.cli.environment:environment", "List and create environments."),
    "snapshot": ("web.cli.environment:snapshot", "Show what services are told."),
    "token": ("web.cli.token:token", "Create, list and revoke tokens."),
    "webhook": ("web.cli.webhook:webhook", "Who is told what happens, and what became of it."),
    "user": ("web.cli.user:user", "Add people, make sign-in links, set passwords."),
    "backup": ("web.cli.backup:backup", "Copy an SQLite database while it is in use."),
    "restore": ("web.cli.backup:restore", "Put a backup in the place of the database, and let services obey it."),
    "db": ("web.cli.db:db", "Upgrade the database, and see its version."),
}


class WrongSettings(click.ClickException):
    """What was said in the environment is as wrong as what is said on the line."""

    exit_code = 2


class Shell(click.Group):
    """A group that knows its commands by name, and tells every expected error in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the command returns
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise WrongSettings(str(error)) from error
        except Unreachable as error:
            message = f"{error}: {error.reason}"
            raise click.ClickException(message) from error
        except ThrowbarError as error:
            raise click.ClickException(error.message) from error


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="throwbar-server", prog_name="throwbar")
def main() -> None:
    """Move live services from one backend to another without breaking anything.

    Commands work on the database of THROWBAR_DATABASE_URL, or with --url and --token on a server.
    """
