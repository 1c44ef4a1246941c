"""Checkpoints: whole or absent, and nothing else is taken for one."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.training.checkpoint import KEPT, NAME, checkpoints, load_checkpoint, save_checkpoint

ABOUT = {"steps": 100, "seed": 0, "data": {"images.npy": "12ab"}}


def state(step: int, **changes: Any) -> dict[str, Any]:
    weight = torch.full((64, 64), float(step))
    empty: dict[str, Any] = {"average": {}, "optimisers": {}, "scaler": {}, "best": {}}
    return {"about": ABOUT, "step": step, "networks": {"segmentor": {"weight": weight}}, **empty, **changes}


def load(folder: Path, about: dict[str, Any] = ABOUT) -> tuple[int | None, list[str]]:
    """The step that was found and what was said of refused files."""
    said: list[str] = []
    found = load_checkpoint(folder, about, said.append)
    return found and found["step"], said


def steps_in(folder: Path) -> list[int]:
    return [int(NAME.fullmatch(path.name)[1]) for path in checkpoints(folder)]


def test_comes_back_to_the_last_bit(tmp_path):
    torch.manual_seed(0)
    tensors = {
        "a": torch.randn(3, 5, 2, 2).contiguous(memory_format=torch.channels_last),
        "n": torch.tensor(7),
    }
    saved = state(3, networks={"segmentor": tensors})
    path = save_checkpoint(tmp_path / "new" / "folder", 3, saved)
    said: list[str] = []
    loaded = load_checkpoint(path.parent, ABOUT, said.append)
    assert not said and not tiny.differences(loaded, saved)
    assert loaded["networks"]["segmentor"]["a"].stride() == tensors["a"].stride()
    assert list(path.parent.iterdir()) == [path]


def test_the_newest_two_are_kept(tmp_path):
    for step in (9, 10, 99, 100, 12_345_678):
        path = save_checkpoint(tmp_path, step, state(step))
        assert checkpoints(tmp_path)[0] == path
    assert steps_in(tmp_path) == [12_345_678, 100] and KEPT == 2
    assert load(tmp_path) == (12_345_678, [])


def test_no_checkpoint_is_none(tmp_path):
    assert load(tmp_path) == (None, []) == load(tmp_path / "nowhere")


def cut(path: Path, keep: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])


def flip(path: Path) -> None:
    """One bit in the middle of a tensor: a file that PyTorch reads without complaint."""
    data = bytearray(path.read_bytes())
    place = data.index(torch.full((64,), 2.0).numpy().tobytes()) + 100
    data[place] ^= 1
    path.write_bytes(data)


def foreign(path: Path) -> None:
    """Another program's file, under a name with the right digits."""
    torch.save({"state_dict": {"weight": torch.zeros(3)}}, path)
    os.replace(path, path.with_name(f"step-0000002-{sha256(path)[:12]}.pt"))


def from_elsewhere(path: Path) -> None:
    """Sound bytes under the digits of others."""
    torch.save(state(2), path)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "half written": lambda path: cut(path, 0.5),
    "a byte short": lambda path: cut(path, 1 - 1e-5),
    "one bit flipped": flip,
    "foreign": foreign,
    "under a name of others": from_elsewhere,
    "text": lambda path: path.write_text("hello"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(tmp_path, damage):
    save_checkpoint(tmp_path, 1, state(1))
    newest = save_checkpoint(tmp_path, 2, state(2))
    assert load(tmp_path) == (2, [])
    DAMAGES[damage](newest)
    step, said = load(tmp_path)
    assert step == 1 and len(said) == 1
    assert str(checkpoints(tmp_path)[0]) in said[0] and "damaged" in said[0]


def test_a_flipped_bit_is_one_that_pytorch_would_not_notice(tmp_path):
    path = save_checkpoint(tmp_path, 2, state(2))
    flip(path)
    weight = torch.load(path, weights_only=True)["networks"]["segmentor"]["weight"]
    assert (weight != 2).sum() == 1


def test_all_damaged_is_none(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, step, state(step))
    for path in checkpoints(tmp_path):
        cut(path, 0.5)
    step, said = load(tmp_path)
    assert step is None and len(said) == 2


def test_files_of_other_programs_are_named_and_left_alone(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    for name in ("model.pt", "step-5.pt", "step-0000005-xyz.pt", ".checkpoint.partial"):
        (tmp_path / name).write_bytes(b"mine")
    step, said = load(tmp_path)
    assert step == 1 and len(said) == 3 and all("left alone" in line for line in said)
    save_checkpoint(tmp_path, 2, state(2))
    save_checkpoint(tmp_path, 3, state(3))
    assert {"model.pt", "step-5.pt", "step-0000005-xyz.pt"} < {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({**ABOUT, "seed": 1}, "seed was 0 and is now 1"),
        ({**ABOUT, "steps": 50, "seed": 1}, "seed was 0 and is now 1; steps was 100 and is now 50"),
        ({k: v for k, v in ABOUT.items() if k != "seed"}, "seed was 0 and is now None"),
        ({**ABOUT, "precision": "bf16"}, "precision was None and is now bf16"),
        ({**ABOUT, "data": {"images.npy": "34cd"}}, "34cd"),
    ],
)
def test_a_run_with_other_settings_is_refused(tmp_path, now, words):
    save_checkpoint(tmp_path, 1, state(1))
    with pytest.raises(BadInput) as error:
        load(tmp_path, now)
    assert words in str(error.value) and str(tmp_path) in str(error.value) and "--out" in str(error.value)


class Bomb:
    """A pickle that runs a command when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("form", ["pickle", "pytorch"])
def test_opening_a_checkpoint_runs_no_code(tmp_path, form):
    mark, bait = tmp_path / "mark", tmp_path / "bait"
    save_checkpoint(tmp_path, 1, state(1))
    whole = state(2, networks=Bomb(mark))
    if form == "pickle":
        bait.write_bytes(pickle.dumps(whole))
    else:
        torch.save(whole, bait)
    step, said = 0, []
    bait = bait.rename(tmp_path / f"step-0000002-{sha256(bait)[:12]}.pt")
    step, said = load(tmp_path)
    assert step == 1 and len(said) == 1 and not mark.exists()
    # the bait is live: opened without care it runs
    torch.load(bait, weights_only=False) if form == "pytorch" else pickle.loads(bait.read_bytes())
    assert mark.exists() and zipfile.is_zipfile(bait) == (form == "pytorch")


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, 1, state(1))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="no space left"):
        save_checkpoint(tmp_path, 2, state(2))
    assert steps_in(tmp_path) == [1] and len(list(tmp_path.iterdir())) == 1
    assert load(tmp_path) == (1, [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_disk_that_fills_up_while_it_is_written_is_told_in_one_line(tmp_path):
    """PyTorch alone would call it a RuntimeError of its own writer."""
    save_checkpoint(tmp_path, 1, state(1))
    (tmp_path / ".checkpoint.partial").symlink_to("/dev/full")
    with pytest.raises(BadInput, match="no space left"):
        save_checkpoint(tmp_path, 2, state(2))
    assert steps_in(tmp_path) == [1] and load(tmp_path) == (1, [])


def test_going_back_to_an_earlier_checkpoint_keeps_what_comes_next(tmp_path):
    """A run that resumed at step 3, as 8 and 9 were damaged, must not lose step 4 to them."""
    for step in (8, 9):
        cut(save_checkpoint(tmp_path, step, state(step)), 0.5)
    for step in (4, 5):
        path = save_checkpoint(tmp_path, step, state(step))
        assert path.is_file()
    step, _ = load(tmp_path)
    assert step == 5 and len(checkpoints(tmp_path)) == KEPT


def test_a_run_from_the_start_is_not_lost_to_an_older_one(tmp_path):
    for step in (98, 99):
        save_checkpoint(tmp_path, step, state(step))
    save_checkpoint(tmp_path, 1, state(1))
    assert load(tmp_path)[0] == 1
