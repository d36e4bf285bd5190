import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from sysconfig import get_path

import pytest

import throwbar


def test_the_package_exports_exactly_these_names():
    assert sorted(throwbar.__all__) == [
        "AdapterRegistry",
        "Affinity",
        "AffinityMode",
        "ArgumentsNotAdapted",
        "Assignment",
        "Backend",
        "Breaker",
        "BreakerOpen",
        "Client",
        "Compare",
        "ConfigurationError",
        "DeadlineExceeded",
        "Decision",
        "Divergence",
        "ErrorInfo",
        "IDEMPOTENT_WRITE",
        "InitializationFailed",
        "MemoryPinStore",
        "Migration",
        "Operation",
        "OutcomeUnknown",
        "PinStore",
        "Pins",
        "Placement",
        "READ",
        "ResultNotAdapted",
        "Retry",
        "SessionWorkerUnavailable",
        "ThrowbarError",
        "WRITE",
        "WorkerBusy",
        "WriteReceipt",
        "__version__",
        "explain_error",
        "is_shadow",
        "remaining",
    ]
    assert all(hasattr(throwbar, name) for name in throwbar.__all__)


def test_what_few_services_use_is_loaded_when_it_is_asked_for():
    program = "import sys, throwbar; before = 'throwbar.affinity' in sys.modules; throwbar.Affinity; print(before)"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert answer.strip() == "False"


@pytest.mark.parametrize("name", ["hooks.LogHook", "testing.forced"])
def test_modules_that_few_services_use_are_there_without_being_imported(name):
    program = f"import sys, throwbar; before = 'throwbar.hooks' in sys.modules; print(before, throwbar.{name})"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert answer.startswith("False <")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Afinity'"):
        _ = throwbar.Afinity


def test_the_version_is_that_of_the_distribution():
    assert throwbar.__version__ == version("throwbar")


def test_import_loads_only_the_standard_library_and_mmh3():
    program = (
        "import sys; before = set(sys.modules); import throwbar;"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert set(loaded) - sys.stdlib_module_names == {"throwbar", "mmh3"}


def test_import_loads_nothing_that_a_host_should_not_pay_for():
    unwanted = {"http.client", "ssl", "asyncio", "dataclasses", "inspect", "hashlib", "random", "pathlib", "zlib"}
    unwanted |= {"urllib.parse", "throwbar.exchange", "throwbar.poller", "throwbar.transport", "throwbar.status"}
    places = [str(Path(throwbar.__file__).parent.parent), get_path("platlib")]
    program = f"import sys; sys.path += {places}; import throwbar; print(*sys.modules)"

    # Without what this environment itself loads at its start.
    answer = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True).stdout

    assert unwanted & set(answer.split()) == set()
