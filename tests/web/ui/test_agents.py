"""Does the profile call browsers by the names their owners know?"""

import pytest

from web.ui.agents import browser

_MOZILLA, _WEBKIT = "Mozilla/5.0", "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"{_MOZILLA} (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/147.0.0.0 Safari/537.36", "Chrome on Linux"),
        (
            f"{_MOZILLA} (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/147.0.0.0 Safari/537.36 Edg/147.0",
            "Edge on Windows",
        ),
        (f"{_MOZILLA} (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on macOS"),
        (
            f"{_MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {_WEBKIT} Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_browser_is_told_by_its_name_and_its_system(agent: str | None, words: str) -> None:
    assert browser(agent) == words
