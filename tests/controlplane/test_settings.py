from datetime import timedelta

import pytest

from controlplane.settings import PREFIX, SDK_NAMES, Settings, SettingsError, read_settings, shown_settings

GOOD = {
    "DATABASE_URL": ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
    "SECRET_KEY": ("0123456789abcdef", "0123456789abcdef"),
    "HOST": ("0.0.0.0", "0.0.0.0"),
    "PORT": ("9000", 9000),
    "TICK_SECONDS": ("0.5", 0.5),
    "BUCKET_SECONDS": ("2", 2),
    "SEAL_SECONDS": ("4", 4.0),
    "RETAIN_RAW_HOURS": ("72", 72),
    "RETAIN_MINUTE_DAYS": ("30", 30),
    "RETAIN_HOUR_DAYS": ("365", 365),
    "RETAIN_DECISION_DAYS": ("7", 7),
    "LOG_FORMAT": ("json", "json"),
    "ADMIN_EMAIL": ("ann@example.org", "ann@example.org"),
    "ADMIN_PASSWORD": ("correct horse battery", "correct horse battery"),
    "BOOTSTRAP_ADMIN_TOKEN": ("t" * 16, "t" * 16),
    "BOOTSTRAP_SDK_TOKEN": ("s" * 16, "s" * 16),
    "WEBHOOK_ALLOW_PRIVATE": ("chat.internal,10.2.0.0/16", "chat.internal,10.2.0.0/16"),
    "OFREP_ORIGINS": ("https://app.example.org, http://[::1]:3000", "https://app.example.org, http://[::1]:3000"),
    "OIDC_ISSUER": ("https://id.example.org/realm", "https://id.example.org/realm"),
    "OIDC_CLIENT_ID": ("throwbar", "throwbar"),
    "OIDC_CLIENT_SECRET": ("a secret of theirs", "a secret of theirs"),
    "OIDC_LABEL": ("Example ID", "Example ID"),
    "OIDC_DOMAINS": ("example.org, Example.com", "example.org, Example.com"),
    "OIDC_DEFAULT_ROLE": ("viewer", "viewer"),
}
OIDC = {PREFIX + name: written for name, (written, _) in GOOD.items() if name.startswith("OIDC_")}
BAD = [
    ("DATABASE_URL", "mysql://h/d"),
    ("DATABASE_URL", "postgresql://h/d"),
    ("DATABASE_URL", ""),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", ""),
    ("OFREP_ORIGINS", ""),
    ("OFREP_ORIGINS", "https://app.example.org/"),
    ("OFREP_ORIGINS", "https://*.example.org"),
    ("OFREP_ORIGINS", "app.example.org"),
    ("OFREP_ORIGINS", "https://app.example.org,*"),
    ("OFREP_ORIGINS", "https://äpp.example.org"),
    ("OFREP_ORIGINS", "null"),
    ("PORT", "http"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("TICK_SECONDS", "0"),
    ("TICK_SECONDS", "nan"),
    ("TICK_SECONDS", "5s"),
    ("BUCKET_SECONDS", "2.5"),
    ("BUCKET_SECONDS", "0"),
    ("SEAL_SECONDS", "inf"),
    ("RETAIN_RAW_HOURS", "24"),
    ("RETAIN_MINUTE_DAYS", "1"),
    ("RETAIN_HOUR_DAYS", "13"),
    ("RETAIN_DECISION_DAYS", "0"),
    ("LOG_FORMAT", "xml"),
    ("ADMIN_PASSWORD", "hunter2"),
    ("BOOTSTRAP_ADMIN_TOKEN", "t"),
    ("BOOTSTRAP_SDK_TOKEN", "s"),
    ("WEBHOOK_ALLOW_PRIVATE", ""),
    ("WEBHOOK_ALLOW_PRIVATE", "http://chat.internal"),
    ("WEBHOOK_ALLOW_PRIVATE", "10.2.0.1/16"),
    ("OIDC_ISSUER", "http://id.example.org"),
    ("OIDC_ISSUER", "id.example.org"),
    ("OIDC_ISSUER", "https://[id.example.org"),
    ("OIDC_CLIENT_SECRET", ""),
    ("OIDC_LABEL", "Example ID"),
    ("OIDC_DOMAINS", "example.org"),
    ("OIDC_DEFAULT_ROLE", "viewer"),
    ("OIDC_DEFAULT_ROLE", "owner"),
]


def test_without_any_variable_the_defaults_hold():
    settings = read_settings({"PATH": "/bin"})

    assert settings == Settings()
    assert (settings.host, settings.port, settings.tick_seconds) == ("127.0.0.1", 8000, 5.0)
    assert (settings.bucket_seconds, settings.seal_seconds, settings.log_format) == (10, 20.0, "text")
    assert settings.database_url == "sqlite:///var/throwbar.db"


def test_telemetry_is_kept_longer_the_coarser_it_is():
    kept = read_settings({PREFIX + "RETAIN_RAW_HOURS": "72"}).clockwork.retention

    assert (kept.raw, kept.minutes, kept.hours) == (timedelta(hours=72), timedelta(days=14), timedelta(days=400))
    with pytest.raises(SettingsError, match=r"^THROWBAR_RETAIN_MINUTE_DAYS: must be at least 42,"):
        read_settings({PREFIX + "RETAIN_RAW_HOURS": "1000"})


def test_every_setting_has_a_row_here():
    assert {name.upper() for name in Settings.model_fields} == set(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_each_variable_sets_its_setting(name):
    written, value = GOOD[name]

    around = OIDC if name.startswith("OIDC_") else {}  # they mean nothing one by one

    assert getattr(read_settings({**around, PREFIX + name: written}), name.lower()) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_malformed_variable_stops_with_one_line_that_names_it(name, value):
    with pytest.raises(SettingsError) as stopped:
        read_settings({PREFIX + name: value})

    assert str(stopped.value).startswith(f"THROWBAR_{name}: ")
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("name", ["SECRET_KEY", "ADMIN_PASSWORD", "BOOTSTRAP_ADMIN_TOKEN", "BOOTSTRAP_SDK_TOKEN"])
def test_a_secret_that_is_malformed_is_not_printed(name):
    with pytest.raises(SettingsError) as stopped:
        read_settings({PREFIX + name: "hush"})

    assert "hush" not in str(stopped.value)


@pytest.mark.parametrize("name", ["THROWBAR_TICK_SECOND", "THROWBAR_DEBUG", "THROWBAR_"])
def test_an_unknown_variable_stops_with_one_line_that_names_it(name):
    with pytest.raises(SettingsError, match=rf"^{name} is not a setting") as stopped:
        read_settings({name: "1"})

    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize("name", sorted(SDK_NAMES))
def test_the_names_of_the_sdk_are_passed_over(name):
    assert read_settings({PREFIX + name: "whatever"}) == Settings()


def test_what_kubernetes_injects_for_a_service_of_this_name_is_passed_over():
    injected = {
        "THROWBAR_SERVICE_HOST": "10.0.0.11",
        "THROWBAR_SERVICE_PORT": "8000",
        "THROWBAR_SERVICE_PORT_HTTP": "8000",
        "THROWBAR_PORT": "tcp://10.0.0.11:8000",
        "THROWBAR_PORT_8000_TCP": "tcp://10.0.0.11:8000",
        "THROWBAR_PORT_8000_TCP_PROTO": "tcp",
        "THROWBAR_PORT_8000_TCP_PORT": "8000",
        "THROWBAR_PORT_8000_TCP_ADDR": "10.0.0.11",
    }

    assert read_settings(injected) == Settings()


def test_files_lie_beside_an_embedded_database():
    embedded = read_settings({"THROWBAR_DATABASE_URL": "sqlite:////srv/data/throwbar.db"})
    server = read_settings({"THROWBAR_DATABASE_URL": "postgresql+psycopg://h/d"})

    assert (embedded.is_embedded, str(embedded.folder)) == (True, "/srv/data")
    assert (server.is_embedded, str(server.folder)) == (False, "var")


@pytest.mark.parametrize("missing", ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"])
def test_openid_connect_is_set_up_whole_or_not_at_all(missing):
    given = {name: OIDC[name] for name in list(OIDC)[:3] if name != PREFIX + missing}

    with pytest.raises(SettingsError, match=rf"set {PREFIX}{missing}, too$"):
        read_settings(given)


def test_an_identity_provider_vouches_for_the_domains_named_and_new_people_need_one():
    admission = read_settings(OIDC).admission

    assert (admission.label, admission.role) == ("Example ID", "viewer")
    assert admission.domains == {"example.org", "example.com"}
    with pytest.raises(SettingsError, match="set THROWBAR_OIDC_DOMAINS, too"):
        read_settings({name: value for name, value in OIDC.items() if not name.endswith("DOMAINS")})
    with pytest.raises(SettingsError, match="must be domains like"):
        read_settings({**OIDC, "THROWBAR_OIDC_DOMAINS": "@example.org"})


def test_the_secret_of_the_provider_is_shown_nowhere():
    assert OIDC["THROWBAR_OIDC_CLIENT_SECRET"] not in str(shown_settings(read_settings(OIDC)))
