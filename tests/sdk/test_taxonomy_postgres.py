"""Real exceptions of psycopg and SQLAlchemy, raised by a real PostgreSQL."""

import os
import socket
import threading
import time

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

from tests.sdk.loopback import Loopback, hang_up, refusing
from throwbar.evidence import classify

pytestmark = pytest.mark.postgresql


@pytest.fixture(params=["psycopg", "sqlalchemy"])
def connect(request, postgres_url):
    """Two clients of one meaning: each call opens a connection; `execute` takes SQL without parameters."""
    engine = sqlalchemy.create_engine(postgres_url, poolclass=sqlalchemy.NullPool)
    opened = []

    def open_one():
        if request.param == "psycopg":
            connection = psycopg.connect(postgres_url.replace("+psycopg", ""))
            execute = connection.execute
        else:
            connection = engine.connect()
            execute = lambda statement: connection.execute(text(statement))  # noqa: E731 - the other half of a pair
        opened.append(connection)
        return connection, execute

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def table(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)")
        connection.execute("INSERT INTO account VALUES (1, 10), (2, 10)")


def failure_of(act, *arguments):
    with pytest.raises((psycopg.Error, sqlalchemy.exc.SQLAlchemyError)) as caught:
        act(*arguments)
    return classify(caught.value)


def failure_to_connect(client, port):
    if client == "psycopg":
        return failure_of(psycopg.connect, f"host=127.0.0.1 port={port} dbname=x user=x connect_timeout=60")
    return failure_of(sqlalchemy.create_engine(f"postgresql+psycopg://x@127.0.0.1:{port}/x").connect)


def test_a_serialisation_failure_is_a_conflict_that_was_rolled_back(connect, table):
    (first, execute_first), (_, execute_second) = connect(), connect()
    for execute in (execute_first, execute_second):
        execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        execute("SELECT sum(balance) FROM account")
    execute_first("UPDATE account SET balance = 0 WHERE id = 1")
    first.commit()

    info = failure_of(execute_second, "UPDATE account SET balance = 0 WHERE id = 1")

    assert (info.category, info.delivery) == ("conflict", "rejected")
    assert info.because.endswith("SQLSTATE 40001")


def test_a_deadlock_is_a_conflict(connect, table, postgres_url):
    (_, execute_first), (second, execute_second) = connect(), connect()
    process = execute_first("SELECT pg_backend_pid()").fetchone()[0]
    execute_first("SET deadlock_timeout = '1h'")
    execute_second("SET deadlock_timeout = '10ms'")
    execute_first("UPDATE account SET balance = 0 WHERE id = 1")
    execute_second("UPDATE account SET balance = 0 WHERE id = 2")
    other = threading.Thread(target=execute_first, args=("UPDATE account SET balance = 0 WHERE id = 2",))
    other.start()
    until_it_waits_for_a_lock(postgres_url, process)  # PostgreSQL looks for a deadlock once in each wait

    info = failure_of(execute_second, "UPDATE account SET balance = 0 WHERE id = 1")

    second.rollback()
    other.join()
    assert (info.category, info.delivery) == ("conflict", "rejected")


def until_it_waits_for_a_lock(postgres_url, process):
    give_up = time.monotonic() + 60  # seconds, which only a defect needs
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        while not connection.execute("SELECT pg_blocking_pids(%s) <> '{}'", (process,)).fetchone()[0]:
            assert time.monotonic() < give_up
            time.sleep(0.01)


def test_a_duplicate_key_is_the_callers_matter(connect, table):
    _, execute = connect()

    info = failure_of(execute, "INSERT INTO account VALUES (1, 0)")

    assert (info.category, info.delivery, info.countable) == ("validation", "rejected", False)


def test_a_value_that_does_not_fit_is_the_callers_matter(connect, table):
    _, execute = connect()

    assert failure_of(execute, "UPDATE account SET balance = 1/0").category == "validation"


def test_a_statement_that_took_too_long_is_unknown(connect):
    _, execute = connect()
    execute("SET statement_timeout = 20")

    info = failure_of(execute, "SELECT pg_sleep(30)")

    assert (info.category, info.delivery) == ("timeout", "unknown")


def test_a_lock_that_another_holds_is_a_conflict(connect, table):
    (_, execute_first), (_, execute_second) = connect(), connect()
    execute_first("SELECT 1 FROM account WHERE id = 1 FOR UPDATE")

    info = failure_of(execute_second, "SELECT 1 FROM account WHERE id = 1 FOR UPDATE NOWAIT")

    assert (info.category, info.delivery) == ("conflict", "rejected")


def test_a_terminated_connection_is_unknown(connect):
    (_, execute), (_, execute_elsewhere) = connect(), connect()
    process = execute("SELECT pg_backend_pid()").fetchone()[0]
    execute_elsewhere(f"SELECT pg_terminate_backend({process}, 60000)")

    info = failure_of(execute, "SELECT 1")

    assert (info.category, info.delivery) == ("resource", "unknown")
    assert "57P01" in info.because


def test_a_connection_that_is_lost_without_a_word_is_unknown(connect):
    connection, execute = connect()
    execute("SELECT 1")
    driver = connection if isinstance(connection, psycopg.Connection) else connection.connection.driver_connection
    with socket.socket(fileno=os.dup(driver.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)

    info = failure_of(connection.commit)

    assert (info.category, info.delivery) == ("communication", "unknown")


@pytest.mark.parametrize("client", ["psycopg", "sqlalchemy"])
def test_a_failure_to_connect_is_not_sent(client):
    with refusing() as port:
        assert failure_to_connect(client, port).delivery == "not_sent"
    with Loopback(hang_up) as port:
        info = failure_to_connect(client, port)

    assert (info.category, info.delivery) == ("connection", "not_sent")


def test_a_wrong_password_is_not_sent(postgres_url):
    wrong = sqlalchemy.make_url(postgres_url).set(password="wrong", drivername="postgresql")

    info = failure_of(psycopg.connect, wrong.render_as_string(hide_password=False))

    assert (info.category, info.delivery) == ("connection", "not_sent")


def test_waiting_for_a_connection_of_the_pool_is_not_sent(postgres_url):
    engine = sqlalchemy.create_engine(postgres_url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect():
        info = failure_of(engine.connect)
    engine.dispose()

    assert (info.category, info.delivery) == ("connection", "not_sent")
