"""Whatever people, pipelines and services write: on every page it is text, and starts nothing."""

from datetime import timedelta

import pytest

from controlplane.domain.access import Role, TokenKind, TokenRequest
from controlplane.domain.checklist import Phase
from controlplane.usecases import attachments, checklists, flags, freezes, people, signing_in, tokens
from controlplane.usecases.changing import Place
from controlplane.usecases.telemetry import record_reports
from tests.builders import NOW, a_cause, a_cell, a_flag_document, a_report
from tests.web.ui.visitor import FLAG, Visitor

MARKUP = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
BRIDGE = Place("production", "dspex-bridge")
PAGES = [
    *("/profile", "/tokens", "/people", "/environments/production/calendar", "/environments/production/instances"),
    *("/environments/production/audit", f"/environments/production/audit?text={MARKUP}"),
    *("/environments/production/flags", f"/environments/production/flags?search={MARKUP}"),
    *(FLAG, f"{FLAG}/edit", f"{FLAG}/checklist", f"{FLAG}/criteria", f"{FLAG}/report", f"{FLAG}/finish-line"),
]


@pytest.fixture
def written_on(store, app) -> Visitor:
    """Markup in every text that somebody can write; and an administrator whose browser calls itself so."""
    why = a_cause(reason=MARKUP)
    document = a_flag_document(description=MARKUP, owner=MARKUP, tags=[MARKUP[:40]])
    flags.create_flag(store, "production", document, why)
    checklists.set_item(store, BRIDGE, Phase.BEFORE, "backup", {"title": MARKUP}, why)
    run = {"suite": MARKUP, "commit": MARKUP, "result": "passed", "link": f"https://{MARKUP}", "notes": MARKUP}
    attachments.attach(store, BRIDGE, run, why)
    span = {"starts_at": NOW.isoformat(), "ends_at": (NOW + timedelta(days=1)).isoformat()}
    freezes.add_freeze(store, "production", {"name": MARKUP, **span}, why)
    tokens.create_token(store, TokenRequest(TokenKind.SDK, MARKUP), why)
    start = int((NOW - timedelta(minutes=1)).timestamp())
    record_reports(store, [a_report(a_cell(start=start), instance=MARKUP, service=MARKUP)], NOW)
    ann = people.add_person(store, "<img/src=x/onerror=alert(3)>@example.org", Role.ADMIN, why)
    link = signing_in.create_link(store, ann.email, why)
    return Visitor(app, signing_in.use_link(store, link, NOW, agent=MARKUP).secret)


def test_what_somebody_wrote_is_text_on_every_page(written_on) -> None:
    told = {path: written_on.get(path) for path in PAGES}

    assert {path: answer.status_code for path, answer in told.items()} == dict.fromkeys(PAGES, 200)
    assert [path for path, answer in told.items() if "<img" in answer.text or "<script>" in answer.text] == []
    assert sum("&lt;img" in answer.text for answer in told.values()) > 10
