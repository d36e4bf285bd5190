"""The report of a migration as one HTML file: nothing from elsewhere, no script, fit for a printer."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = Path(__file__).parent / "templates" / "report"
WORDS = {"pass": "Passed", "fail": "Failed", "not_enough_data": "Not enough data"}


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(_FOLDER)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def style() -> str:
    return (_FOLDER / "report.css").read_text("utf-8")


@cache
def content_security() -> str:
    """The file's own style and nothing else, by its hash."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def report_page(report: Mapping[str, Any]) -> str:
    """The whole file; every text in it that people wrote is escaped."""
    template = _environment().get_template("report.html")
    return template.render(report=report, words=WORDS, style=Markup(style()), policy=content_security())  # noqa: S704 - ours
