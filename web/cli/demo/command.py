"""`throwbar demo`: a migration lived in minutes, with a fault and the automatic rollback."""

import json
import signal
from contextlib import suppress
from types import FrameType

import click

from web.cli.demo.bridge import FLAG
from web.cli.demo.control import ControlPlaneError
from web.cli.demo.faults import Kind
from web.cli.demo.judgement import complaints
from web.cli.demo.run import Run, summary
from web.cli.demo.scene import Scene, SceneFailed, set_up
from web.cli.demo.server import ServerFailed
from web.cli.demo.story import Story
from web.cli.demo.tempo import HEADLESS, REAL_TIME, WATCHED, Tempo
from web.cli.demo.timeline import closing


@click.command("demo")
@click.option("--headless", is_flag=True, help="Print the timeline and exit: 0 only if what should happen did.")
@click.option(
    "--fault",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.ERRORS.value,
    show_default=True,
    help="What goes wrong in the candidate at 50 %.",
)
@click.option("--real-time", is_flag=True, help="With the default clocks of a production server; takes minutes.")
@click.option("--rate", type=click.FloatRange(50, 2000), default=300.0, show_default=True, help="Calls a second.")
@click.option("--json", "as_json", is_flag=True, help="Print the final summary as JSON, and the timeline to stderr.")
def demo_command(headless: bool, fault: str, real_time: bool, rate: float, as_json: bool) -> None:
    """Move a service between two real backends, break the new one, and watch Throwbar take everything back.

    Everything is temporary: a server on a free port with its own database, two pools of worker processes, and a
    service that calls them through the SDK. Exit status: 0 when what should happen did, 1 when it did not.
    """
    signal.signal(signal.SIGTERM, _exit_in_order)
    tempo = _tempo(headless=headless, real_time=real_time)
    try:
        with set_up(tempo, rate, watched=not headless) as scene:
            unmet = _show(scene, tempo, Kind(fault), headless=headless, as_json=as_json)
    except (ServerFailed, SceneFailed, ControlPlaneError) as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(1 if unmet else 0)


def _show(scene: Scene, tempo: Tempo, fault: Kind, *, headless: bool, as_json: bool) -> list[str]:
    """Play the story; what did not happen as it should."""
    if not headless:
        _welcome(scene, fault, as_json=as_json)
    run = Story(scene, tempo, fault, tell=lambda line: click.echo(line, err=as_json)).play()
    unmet = complaints(run)
    _report(run, unmet, as_json=as_json)
    if not headless:
        _keep_serving(scene, as_json=as_json)
    return unmet


def _tempo(*, headless: bool, real_time: bool) -> Tempo:
    if real_time:
        return REAL_TIME
    return HEADLESS if headless else WATCHED


def _exit_in_order(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the demo as Ctrl-C does: by leaving every context, so that nothing stays behind."""
    raise SystemExit(128 + signal.SIGTERM)


def _welcome(scene: Scene, fault: Kind, *, as_json: bool) -> None:
    turn = (
        "the candidate stays sound, and takes over"
        if fault is Kind.NONE
        else "at 50 % the candidate goes bad. Nobody touches anything: see the rollback arrive, and its reason"
    )
    click.echo(
        f"""
Open this to watch:  {scene.server.sign_in_link}

  - the flag {FLAG}: its share grows by itself, stage by stage
  - five more flags of a helpdesk, each in another state: paused, waiting for you, in the shadow …
  - the charts: error rate and latency of both backends, side by side
  - {turn}
  - the audit: who did what, and the numbers that the scheduler decided on
""",
        err=as_json,
    )


def _report(run: Run, unmet: list[str], *, as_json: bool) -> None:
    click.echo(err=as_json)
    click.echo(json.dumps(summary(run, unmet), ensure_ascii=False) if as_json else closing(run, unmet))


def _keep_serving(scene: Scene, *, as_json: bool) -> None:
    click.echo(f"\nTraffic goes on, and so does {scene.server.url}. Ctrl-C ends both.", err=as_json)
    with suppress(KeyboardInterrupt):
        signal.pause()
    click.echo("\nBye.", err=as_json)
