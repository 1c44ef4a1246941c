"""SliceSet: what is written is read, whole or not at all, and a changed byte is found."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from brains import TWO_CHANNELS, add, noise, noise_set
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.data.slices import ARRAYS, SliceSet
from strokegan_lib.data.split import SPLITS
from strokegan_lib.data.writer import SliceSetWriter
from strokegan_lib.errors import BadInput

NAME = st.text(min_size=1, max_size=9).filter(lambda s: "\0" not in s and s.isprintable())


@settings(max_examples=6)
@given(st.lists(st.tuples(NAME, st.integers(1, 3)), min_size=1, max_size=3, unique_by=lambda pair: pair[0]))
def test_round_trip(tmp_path_factory, patients):
    out = tmp_path_factory.mktemp("round") / "set"
    parts = [noise(n, seed) for seed, (_, n) in enumerate(patients)]
    with SliceSetWriter(out, TWO_CHANNELS) as writer:
        writer.card["note"] = "ü"
        for (name, _), part in zip(patients, parts, strict=True):
            add(writer, part, name, case='c,"1')
    slices = SliceSet.open(out)
    arrays = (slices.images, slices.stroke, slices.foreground)
    for got, want in zip(arrays, map(np.concatenate, zip(*parts, strict=True)), strict=True):
        assert got.dtype == np.uint8 and np.array_equal(got, want)
    assert slices.patients == [name for name, _ in patients] and slices.channels == ["a", "b"]
    assert slices.table["has_stroke"].tolist() == slices.stroke.any((1, 2)).astype(int).tolist()
    assert slices.table["case"].tolist() == ['c,"1'] * len(slices)
    with_stroke = int(slices.table["has_stroke"].sum())
    assert slices.card["note"] == "ü" and slices.card["counts"] == {
        "slices": len(slices),
        "slices_with_stroke": with_stroke,
        "share_with_stroke": round(with_stroke / len(slices), 6),
        "patients": len(patients),
        "patients_with_stroke": len(patients),
    }
    assert sorted(p.name for p in out.iterdir()) == sorted((*ARRAYS, "slices.csv", "dataset.json"))


def test_no_patient_on_two_sides(tmp_path):
    slices = noise_set(tmp_path / "set", 25, 1)
    for fold in (None, *range(5)):
        parts = [slices.of_split(part, fold) for part in SPLITS]
        assert np.array_equal(np.sort(np.concatenate(parts)), slices.of_split("all"))  # a slice a patient
    folds = [slices.of_split("test", fold) for fold in range(5)]
    assert np.array_equal(np.sort(np.concatenate(folds)), np.arange(25))
    with pytest.raises(ValueError, match="no split"):
        slices.of_split("dev")


def test_lesion_volume(tmp_path):
    slices = noise_set(tmp_path / "set")
    expected = slices.stroke[slices.of_patient("p0")].sum() * 1.5 * 1.5 * 5 / 1000
    assert slices.lesion_ml()["p0"] == pytest.approx(expected)


@pytest.mark.parametrize("name", [*ARRAYS, "slices.csv"])
def test_a_changed_byte_and_a_missing_file(tmp_path, name):
    path = noise_set(tmp_path / "set").folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(BadInput, match=f"{name}: is missing or has changed.*make the data set again"):
            SliceSet.open(tmp_path / "set")
        path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"format_version": 2}, "format version 2, newer than this kit's 1"),
        ({"format_version": "x"}, "cannot be read"),
        ({"shape": None}, "cannot be read"),
        ({"shape": []}, "cannot be read"),
        ({"shape": [6, 1, 128, 128]}, "differ from its card"),
        ({"sha256": {}}, "has changed"),
    ],
)
def test_cards_that_lie(tmp_path, change, what):
    card = noise_set(tmp_path / "set").folder / "dataset.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(BadInput, match=what):
        SliceSet.open(tmp_path / "set")


def test_arrays_that_are_none(tmp_path):
    out = noise_set(tmp_path / "set").folder
    for content, what in ((np.zeros((6, 128, 128)), "shape or type"), (None, "cannot be read")):
        np.save(out / "stroke.npy", content)  # float numbers, then an object
        with pytest.raises(BadInput, match=what):
            SliceSet.open(out, verify=False)


def test_a_table_that_lacks_a_row(tmp_path):
    table = noise_set(tmp_path / "set").folder / "slices.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(BadInput, match="length differs"):
        SliceSet.open(tmp_path / "set", verify=False)


def test_no_sliceset(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "dataset.json").write_text("{")
    for name, what in (
        (".", "is not a SliceSet"),
        ("nowhere", "is not a SliceSet"),
        ("broken", "cannot be read"),
        ("n" * 300, "cannot be read"),
    ):
        with pytest.raises(BadInput, match=what):
            SliceSet.open(tmp_path / name)


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), SliceSetWriter(tmp_path / "set", TWO_CHANNELS) as writer:
        add(writer, noise(1))
        raise RuntimeError
    for out, what in (
        (tmp_path / "set", "would hold no slice"),
        (tmp_path / ("n" * 300), "cannot be written"),
    ):
        with pytest.raises(BadInput, match=what), SliceSetWriter(out, TWO_CHANNELS):
            pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once_and_a_third_later(tmp_path):
    out = tmp_path / "set"
    with SliceSetWriter(out, TWO_CHANNELS) as first:
        with pytest.raises(BadInput, match="being written by another"), SliceSetWriter(out, TWO_CHANNELS):
            pass
        add(first, noise(1))
    with pytest.raises(BadInput, match="exists already"), SliceSetWriter(out, TWO_CHANNELS):
        pass
    assert len(SliceSet.open(out)) == 1


KILLED = """
import os, signal, sys
from brains import TWO_CHANNELS, SliceSetWriter, add, noise
with SliceSetWriter(sys.argv[1], TWO_CHANNELS) as writer:
    add(writer, noise(20))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    path = os.pathsep.join(str(Path(__file__).parents[n]) for n in (1, 2))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "set"], env=os.environ | {"PYTHONPATH": path}
    )
    assert done.returncode == -signal.SIGKILL and os.listdir(tmp_path) == [".set.partial"]
    assert len(noise_set(tmp_path / "set")) == 6
    assert os.listdir(tmp_path) == ["set"]


@pytest.mark.parametrize(
    "fault", ["dark tissue", "bright air", "dark air", "stroke outside", "type", "channels", "shape"]
)
def test_the_form_is_kept(tmp_path, fault):
    images, stroke, foreground = noise(2)
    tissue, air = (tuple(np.argwhere(mask[0])[0]) for mask in (foreground & ~stroke, ~foreground))
    if fault == "dark tissue":
        images[0, 1][tissue] = 7
    elif fault.endswith("air"):
        images[0, 0][air] = 9 if fault == "bright air" else 7
    elif fault == "stroke outside":
        stroke[0][air] = True
    images = images.astype(np.int16) if fault == "type" else images[:, :1] if fault == "channels" else images
    stroke = stroke[:1] if fault == "shape" else stroke
    with pytest.raises(ValueError), SliceSetWriter(tmp_path / "set", TWO_CHANNELS) as writer:
        add(writer, (images, stroke, foreground))
    assert list(tmp_path.iterdir()) == []
