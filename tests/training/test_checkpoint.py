"""Checkpoints: whole or absent, and nothing else is taken for one."""

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytest
import tiny
import torch

from strokegan_lib.errors import BadInput
from strokegan_lib.files import sha256
from strokegan_lib.training.checkpoint import checkpoints, load_checkpoint, save_checkpoint

ABOUT = {"steps": 100, "seed": 0, "data": {"images.npy": "12ab"}}


def state(step: int, **changes: Any) -> dict[str, Any]:
    return {"about": ABOUT, "step": step, "networks": {"a": torch.full((64, 64), float(step))}, **changes}


def steps_in(folder: Path) -> list[int]:
    return [int(path.name[5:].split("-")[0]) for path in checkpoints(folder)]


def test_comes_back_to_the_last_bit(tmp_path):
    weight = torch.randn(3, 5, 2, 2).contiguous(memory_format=torch.channels_last)
    saved = state(3, networks={"a": weight, "n": torch.tensor(7)})
    path = save_checkpoint(tmp_path / "new" / "folder", 3, saved)
    loaded = load_checkpoint(path.parent, ABOUT)
    assert not tiny.differences(loaded, saved) and loaded["networks"]["a"].stride() == weight.stride()
    assert list(path.parent.iterdir()) == [path] and load_checkpoint(tmp_path / "nowhere") is None


def test_the_newest_two_are_kept_and_files_of_other_programs(tmp_path):
    others = {"model.pt", "step-5.pt", "step-0000005-xyz.pt"}
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    for step in (9, 10, 99, 100, 12_345_678):
        path = save_checkpoint(tmp_path, step, state(step))
        assert checkpoints(tmp_path)[0] == path
    assert steps_in(tmp_path) == [12_345_678, 100] and others < {path.name for path in tmp_path.iterdir()}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    """One bit in the middle of a tensor: a file that PyTorch reads without complaint."""
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((64,), 2.0).numpy().tobytes()) + 100] ^= 1
    path.write_bytes(data)
    assert (torch.load(path, weights_only=True)["networks"]["a"] != 2).sum() == 1


def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(tmp_path, capsys):
    first, newest = (save_checkpoint(tmp_path, step, state(step)) for step in (1, 2))
    flip(newest)
    assert load_checkpoint(tmp_path, ABOUT)["step"] == 1
    assert capsys.readouterr().out.startswith(f"{newest}: damaged")
    cut(first)
    assert load_checkpoint(tmp_path, ABOUT) is None and capsys.readouterr().out.count(": damaged") == 2


class Bomb:
    """A pickle that runs a command when it is opened without care."""

    def __reduce__(self):
        return pytest.fail, ("code in a checkpoint was run",)


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    torch.save(state(2, networks=Bomb()), tmp_path / "bomb")
    os.replace(tmp_path / "bomb", tmp_path / f"step-0000002-{sha256(tmp_path / 'bomb')[:12]}.pt")
    with pytest.raises(UnpicklingError):
        load_checkpoint(tmp_path)


def test_a_run_with_other_settings_is_refused(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    with pytest.raises(BadInput, match="other was None and is now 5; seed was 0 and is now None") as error:
        load_checkpoint(tmp_path, {"steps": 100, "data": ABOUT["data"], "other": 5})
    assert str(tmp_path) in str(error.value) and "--out" in str(error.value)
    assert load_checkpoint(tmp_path)["step"] == 1  # unless any run will do


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    """PyTorch alone would call it a RuntimeError of its own writer."""
    save_checkpoint(tmp_path, 1, state(1))
    (tmp_path / ".checkpoint.partial").symlink_to("/dev/full")
    with pytest.raises(BadInput, match="no space left"):
        save_checkpoint(tmp_path, 2, state(2))
    assert load_checkpoint(tmp_path)["step"] == 1 and len(list(tmp_path.iterdir())) == 1


def test_later_checkpoints_are_given_up(tmp_path):
    """A run that resumed at step 3, as 8 and 9 were damaged, or began anew, must not lose step 4 to them."""
    for step in (8, 9):
        cut(save_checkpoint(tmp_path, step, state(step)))
    for step in (4, 5):
        assert save_checkpoint(tmp_path, step, state(step)).is_file()
    assert steps_in(tmp_path) == [5, 4]
    save_checkpoint(tmp_path, 1, state(1))
    assert steps_in(tmp_path) == [1]
