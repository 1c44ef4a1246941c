"""SliceSet: what is written is read, whole or not at all, and a changed byte is found."""

import json

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


@settings(max_examples=5)
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
    share, n = round(with_stroke / len(slices), 6), len(patients)
    assert slices.card["note"] == "ü"
    assert list(slices.card["counts"].values()) == [len(slices), with_stroke, share, n, n]
    assert sorted(p.name for p in out.iterdir()) == sorted((*ARRAYS, "slices.csv", "dataset.json"))


def test_no_patient_on_two_sides_and_lesion_volumes(tmp_path):
    slices = noise_set(tmp_path / "set", 25, 1)
    for fold in (None, 0, 3):
        parts = [slices.of_split(part, fold) for part in SPLITS]
        assert np.array_equal(np.sort(np.concatenate(parts)), slices.of_split("all"))  # a slice a patient
    with pytest.raises(ValueError, match="no split"):
        slices.of_split("dev")
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
    ("file", "content", "what"),
    [
        ("dataset.json", {"format_version": 2}, "format version 2, newer than this kit's 1"),
        ("dataset.json", {"shape": None}, "cannot be read"),
        ("dataset.json", {"shape": [6, 1, 128, 128]}, "differ from its card"),
        ("dataset.json", "{", "cannot be read"),
        ("stroke.npy", np.zeros((6, 128, 128)), "differ from its card"),
        ("stroke.npy", np.array(None), "cannot be read"),  # an object
        ("slices.csv", "index,patient\n", "differ from its card"),
    ],
)
def test_a_damaged_set(tmp_path, file, content, what):
    path = noise_set(tmp_path / "set").folder / file
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        changed = isinstance(content, dict)
        path.write_text(json.dumps(json.loads(path.read_text()) | content) if changed else content)
    with pytest.raises(BadInput, match=what):
        SliceSet.open(tmp_path / "set", verify=False)
    with pytest.raises(BadInput, match="is not a SliceSet"):
        SliceSet.open(tmp_path)


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), SliceSetWriter(tmp_path / "set", TWO_CHANNELS) as writer:
        add(writer, noise(1))
        raise RuntimeError
    for name, what in (("set", "would hold no slice"), ("n" * 300, "cannot be written")):
        with pytest.raises(BadInput, match=what), SliceSetWriter(tmp_path / name, TWO_CHANNELS):
            pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once_and_a_third_after_one_that_was_killed(tmp_path):
    (tmp_path / ".set.partial").mkdir()
    for name in ("lock", "provenance.csv", *ARRAYS):  # what a killed writer left
        (tmp_path / ".set.partial" / name).write_bytes(bytes(10**6))
    with SliceSetWriter(tmp_path / "set", TWO_CHANNELS) as first:
        with pytest.raises(BadInput, match="being written by another"):
            noise_set(tmp_path / "set")
        add(first, noise(1))
    with pytest.raises(BadInput, match="exists already"):
        noise_set(tmp_path / "set")
    assert len(SliceSet.open(tmp_path / "set")) == 1 and not (tmp_path / "set" / "provenance.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


AIR, TISSUE = np.zeros((2, 128, 128), bool), np.ones((2, 128, 128), bool)
GREY = np.full((2, 2, 128, 128), 9, np.uint8)


@pytest.mark.parametrize(
    ("images", "stroke", "foreground"),
    [
        (GREY - 2, AIR, TISSUE),  # tissue too dark
        (GREY, AIR, AIR),  # bright air
        (0 * GREY, TISSUE, AIR),  # stroke outside
        (GREY.astype(np.int16), AIR, TISSUE),
        (GREY[:, :1], AIR, TISSUE),  # a channel is lacking
        (GREY, AIR[:1], TISSUE),
    ],
)
def test_the_form_is_kept(tmp_path, images, stroke, foreground):
    with pytest.raises(ValueError), SliceSetWriter(tmp_path / "set", TWO_CHANNELS) as writer:
        add(writer, (images, stroke, foreground))
    assert list(tmp_path.iterdir()) == []
