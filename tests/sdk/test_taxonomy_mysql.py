"""Real exceptions of PyMySQL, raised by sockets that refuse, close, and speak a little of the protocol."""

import pymysql
import pytest
import sqlalchemy

from tests.sdk.fake_mysql import failing, hanging_up_after_a_statement
from tests.sdk.loopback import Loopback, hang_up, refusing, silent
from throwbar.evidence import classify


def update(port, patience):
    with pymysql.connect(host="127.0.0.1", port=port, connect_timeout=60, read_timeout=patience) as connection:
        connection.cursor().execute("UPDATE account SET balance = balance - 1")


def failure_of(port, patience=60):
    with pytest.raises(pymysql.MySQLError) as caught:
        update(port, patience)
    return caught.value


def test_refused_is_not_sent():
    with refusing() as port:
        info = classify(failure_of(port))

    assert (info.category, info.delivery, info.because) == ("connection", "not_sent", "MySQL error 2003")


@pytest.mark.parametrize(("behave", "patience"), [(hang_up, 60), (silent, 0.3)], ids=["closed", "silent"])
def test_lost_while_signing_in_has_the_number_of_a_lost_query_and_is_unknown(behave, patience):
    with Loopback(behave) as port:
        info = classify(failure_of(port, patience))

    assert (info.category, info.delivery, info.because) == ("communication", "unknown", "MySQL error 2013")


def test_a_lost_reply_is_unknown():
    with Loopback(hanging_up_after_a_statement) as port:
        info = classify(failure_of(port))

    assert (info.category, info.delivery) == ("communication", "unknown")


@pytest.mark.parametrize(
    ("number", "category", "delivery"),
    [
        (1205, "conflict", "rejected"),
        (1213, "conflict", "rejected"),
        (1062, "validation", "rejected"),
        (1040, "resource", "unknown"),
        (3024, "timeout", "unknown"),
        (1054, "application", "unknown"),
    ],
)
def test_what_a_number_means(number, category, delivery):
    with Loopback(failing(number)) as port:
        info = classify(failure_of(port))

    assert (info.category, info.delivery) == (category, delivery)


def test_sqlalchemy_around_it_changes_nothing():
    with Loopback(failing(1213)) as port:
        engine = sqlalchemy.create_engine(f"mysql+pymysql://root@127.0.0.1:{port}/test?read_timeout=60")
        with pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
            engine.connect()  # asks for the version, first of all
        engine.dispose()

    assert classify(caught.value).category == "conflict"
