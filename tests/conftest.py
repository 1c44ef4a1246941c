"""What all tests share: a cache of their own, so that no earlier run can decide their outcome."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from brains import brains
from hypothesis import settings

from strokegan_lib.classroom.datasets import prepared
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.profiles import profile

settings.register_profile("kit", deadline=None)  # a busy machine is no fault
settings.load_profile("kit")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--in-browser", action="store_true", help="collect the tests that drive Chromium")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """tests/browser only where it is asked for: make test-browser."""
    return True if collection_path.name == "browser" and not config.getoption("--in-browser") else None


def pytest_configure(config: pytest.Config) -> None:
    """One empty cache, for phantoms and unfinished runs, and one thread each; workers and kernels inherit them."""
    if not hasattr(config, "workerinput"):
        cache = tempfile.TemporaryDirectory(prefix="strokegan-tests-", ignore_cleanup_errors=True)
        config.add_cleanup(cache.cleanup)
        os.environ |= {"STROKEGAN_CACHE": cache.name, "STROKEGAN_RUNS": str(Path(cache.name, "runs"))}
        os.environ["OMP_NUM_THREADS"] = "1"  # threads of two workers would wait for each other
        for name in ("STROKEGAN_PROFILE", "STROKEGAN_DATA"):
            os.environ.pop(name, None)


@pytest.fixture(scope="session")
def discs(tmp_path_factory) -> SliceSet:
    """90 slices of 45 patients."""
    return brains(tmp_path_factory.mktemp("discs") / "set", patients=45)


@pytest.fixture(scope="session")
def phantom() -> SliceSet:
    """The quick profile's phantom, made once for the whole run."""
    return prepared(None, profile("quick"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable:
    """What a command's module makes of words: exit code, stdout and stderr."""

    def call(module: ModuleType, *words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", [module.PROG, *map(str, words)])
        with pytest.raises(SystemExit) as end:
            module.main()
        return end.value.code or 0, *capsys.readouterr()

    return call
