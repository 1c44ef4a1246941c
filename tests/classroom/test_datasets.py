"""The set a notebook works on: the reader's own, or a phantom made once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from brains import noise_set

from strokegan_lib.classroom import datasets, one_channel, prepared
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.profiles import Profile

TINY = Profile("tiny", "tests", patients=2, slices_per_patient=4, batch_size=1, width=4, steps=1, threads=1)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STROKEGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_readers_own_set_is_opened_as_it_is(cache: Path, phantom: SliceSet):
    assert prepared(str(phantom.folder), TINY).card == phantom.card
    assert not cache.exists()  # no phantom is made then


def test_a_phantom_is_made_once_and_again_only_where_it_has_changed_on_disk(cache: Path, monkeypatch):
    first = prepared("", TINY)
    assert len(first) == 8 and first.folder.parent == cache
    (lock,) = cache.glob(".*.lock")
    assert lock.stat().st_mode & 0o666 == 0o666, "the next account must be able to take it"
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "FileLock", None)  # another account's cache: no lock can be made or taken
        assert prepared(None, TINY).card == first.card
    with open(first.folder / "images.npy", "r+b") as file:
        file.seek(5000)
        file.write(b"\x01\x02\x03")
    assert prepared(None, TINY).card["sha256"] == first.card["sha256"]


def test_all_that_ask_at_once_get_the_same_phantom(cache: Path):
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(lambda _: prepared(None, TINY).folder, range(2))
    assert one == other and [path for path in cache.iterdir() if path.is_dir()] == [one]


def test_a_cache_that_cannot_be_used_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STROKEGAN_CACHE", "~/file/cache")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(BadInput, match=f"^{tmp_path}/file/cache.*set STROKEGAN_CACHE"):
        prepared(None, TINY)


def test_sets_of_one_channel_alone_are_kept(phantom: SliceSet, tmp_path: Path, capsys: pytest.CaptureFixture):
    assert one_channel(phantom.folder) == phantom.folder and one_channel("") == one_channel(None) == ""
    assert capsys.readouterr().out == ""
    two = noise_set(tmp_path / "two").folder
    assert one_channel(two, "the saved table") == ""
    said = capsys.readouterr().out
    assert "has 2 channels (a, b)" in said and "the saved table is used instead" in said
