"""Is an origin understood as browsers write it?"""

import pytest

from controlplane.domain.origins import admits, read_origins


@pytest.mark.parametrize(
    ("written", "origin", "may"),
    [
        ("https://app.example.org", "https://app.example.org", True),
        ("https://app.example.org:443, http://intra:80", "https://app.example.org", True),
        ("https://app.example.org:443, http://intra:80", "http://intra", True),
        ("HTTPS://App.Example.ORG", "https://app.example.org", True),
        ("http://localhost:3000", "http://localhost:3000", True),
        ("http://localhost:3000", "http://localhost:3001", False),
        ("http://app.example.org", "https://app.example.org", False),
        ("https://app.example.org", "https://app.example.org.evil.example", False),
        ("https://app.example.org", "null", False),
        ("*", "https://anything.example", True),
    ],
)
def test_who_may_ask(written: str, origin: str, may: bool) -> None:
    assert admits(read_origins(written), origin) is may
