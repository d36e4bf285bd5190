from datetime import timedelta

from tests.builders import a_flag_document

HERE = "/api/v1/environments/production"


def test_the_finish_line_and_the_stale_flags_are_told(api, clock):
    api("POST", "", a_flag_document())

    finish = api("GET", "/dspex-bridge/finish-line").json
    assert (finish["ready"], finish["days"], finish["callers"]) == (False, 14, [])
    assert api("GET", f"{HERE}/stale").json == {"items": [], "next": None}

    clock.go_on(timedelta(days=31))
    (stale,) = api("GET", f"{HERE}/stale").json["items"]
    assert stale["flag"] == "dspex-bridge"
    assert "every operation has been at 0 % for 31 days" in stale["reasons"]
