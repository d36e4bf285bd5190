import logging

from tests.sdk.fake_control_plane import a_document, a_flag, a_share


def archived(version: int = 2, share: int = 100_000):
    return a_document(version, flags={"orders": a_flag(archived=True, operations=a_share(share))})


def warnings(caplog) -> list[str]:
    return [each.getMessage() for each in caplog.records if "is archived" in each.getMessage()]


def test_a_process_that_still_asks_gets_the_final_backend_is_warned_once_and_says_so(client, server, caplog):
    server.document = archived(1)
    assert client.wait_ready(60)
    caplog.set_level(logging.WARNING, "throwbar")

    decision = client.migration("orders").decide("read", key="k")
    for _ in range(3):
        client.flush(60)

    assert decision.backend == "new"
    assert warnings(caplog) == ["flag orders is archived: it answers with its final backend; remove its uses"]
    assert client.status().archived == ("orders",)


def test_an_archived_flag_that_nobody_asks_for_is_no_news(client, server, caplog):
    server.document = archived(1)
    assert client.wait_ready(60)

    client.flush(60)

    assert warnings(caplog) == []
    assert client.status().archived == ()


def test_calls_without_a_key_get_the_final_backend_too(client, server):
    server.document = archived(1)
    assert client.wait_ready(60)

    assert client.migration("orders").decide("read").candidate
