"""A service's own test suite, run under every way that a call can go."""

import pytest

pytest_plugins = "pytester"

SERVICE = """
    import throwbar

    client = throwbar.Client(backup_file=False)
    bridge = client.migration("dspex-bridge")

    @bridge.route("total", candidate=lambda prices: sum(prices[1:]), kind=throwbar.READ)  # forgets the first
    def total(prices):
        return sum(prices)

    @bridge.route("echo", candidate=lambda text: text, kind=throwbar.WRITE)
    def echo(text):
        return text

    def where():
        return bridge.decide("echo").reason
"""

SUITE = """
    import pytest
    import service

    def test_a_total_is_the_sum_of_all_prices():
        assert service.total([1, 2, 3]) == 6

    @pytest.mark.parametrize("text", ["a", "b"])
    def test_an_echo_is_what_was_said(text):
        assert service.echo(text) == text
"""


@pytest.fixture
def suite(pytester):
    pytester.makepyfile(service=SERVICE, test_suite=SUITE)
    return pytester


def test_a_bug_of_the_candidate_fails_the_suite_under_candidate_and_nowhere_else(suite):
    result = suite.runpytest_subprocess("--throwbar=baseline,candidate,fallback,breaker-open", "-v")

    result.assert_outcomes(passed=11, failed=1)
    result.stdout.fnmatch_lines_random(
        [
            "*test_a_total_is_the_sum_of_all_prices?baseline? PASSED*",
            "*test_a_total_is_the_sum_of_all_prices?candidate? FAILED*",
            "*test_a_total_is_the_sum_of_all_prices?fallback? PASSED*",
            "*test_a_total_is_the_sum_of_all_prices?breaker-open? PASSED*",
            "*test_an_echo_is_what_was_said?*candidate* PASSED*",
        ]
    )


def test_nothing_is_different_unless_it_is_asked_for(suite):
    suite.makepyfile(test_fixture="def test_none(throwbar_forced):\n    assert throwbar_forced is None")

    result = suite.runpytest_subprocess("-v")

    result.assert_outcomes(passed=4)
    result.stdout.no_fnmatch_line("*baseline*")


def test_the_fixture_names_the_mode_and_fixtures_of_any_scope_are_set_up_under_it(pytester):
    pytester.makepyfile(
        service=SERVICE,
        test_suite="""
            import pytest
            import service

            @pytest.fixture(scope="session")
            def reason():
                return service.where()

            def test_the_mode(reason, throwbar_forced):
                assert (throwbar_forced, str(reason)) == ("breaker-open", "circuit_open")
        """,
    )

    pytester.runpytest_subprocess("--throwbar=breaker_open").assert_outcomes(passed=1)


def test_row_32_all_stands_for_the_four_modes(suite):
    suite.runpytest_subprocess("--throwbar=all").assert_outcomes(passed=11, failed=1)


UNITTEST = """
    import unittest
    import service

    class Totals(unittest.TestCase):
        def test_total(self):
            self.assertEqual(service.total([1, 2, 3]), 6)
"""


@pytest.mark.parametrize(("mode", "outcome"), [("baseline", {"passed": 1}), ("candidate", {"failed": 1})])
def test_cases_of_unittest_run_under_one_mode(pytester, mode, outcome):
    pytester.makepyfile(service=SERVICE, test_suite=UNITTEST)

    pytester.runpytest_subprocess(f"--throwbar={mode}").assert_outcomes(**outcome)


def test_cases_of_unittest_under_several_modes_are_refused_rather_than_run_under_one(pytester):
    pytester.makepyfile(service=SERVICE, test_suite=UNITTEST)

    result = pytester.runpytest_subprocess("--throwbar=baseline,candidate")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Totals::test_total cannot run once a mode*give one mode at a time*"])


def test_a_mode_that_does_not_exist_is_named(suite):
    result = suite.runpytest_subprocess("--throwbar=sideways")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'sideways' is not one of baseline, candidate, fallback, breaker-open, or all*"])
