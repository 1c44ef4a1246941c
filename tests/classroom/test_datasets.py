"""The set a notebook works on: the reader's own, or a phantom made once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from brains import noise_set

from strokegan_lib.classroom import datasets, one_channel, prepared
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.profiles import Profile

TINY = Profile("tiny", patients=2, slices_per_patient=4, batch_size=1, width=4, steps=1, threads=1)


def test_a_phantom_is_made_once_and_again_only_where_it_has_changed_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantom: SliceSet
):
    cache = tmp_path / "cache"
    monkeypatch.setenv("STROKEGAN_CACHE", str(cache))
    assert prepared(str(phantom.folder), TINY).card == phantom.card
    assert not cache.exists()  # the reader's own set: no phantom is made
    with ThreadPoolExecutor(2) as pool:  # all that ask at once get the same
        first, other = pool.map(lambda _: prepared(None, TINY), range(2))
    assert len(first) == 8 and first.folder == other.folder
    assert [path for path in cache.iterdir() if path.is_dir()] == [first.folder]
    (lock,) = cache.glob(".*.lock")
    assert lock.stat().st_mode & 0o666 == 0o666, "the next account must be able to take it"
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "FileLock", None)  # another account's cache: no lock can be made or taken
        assert prepared("", TINY).card == first.card
    with open(first.folder / "images.npy", "r+b") as file:
        file.seek(5000)
        file.write(b"\x01\x02\x03")
    assert prepared(None, TINY).card["sha256"] == first.card["sha256"]


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
