"""SliceSet: what is written is read, whole or not at all, and a changed byte is found."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strokegan_lib.data.resample import SIZE
from strokegan_lib.data.slices import ARRAYS, COLUMNS, SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput

ABOUT = About("test", "made up", "none", "nobody", ("a", "b"), "pytest", limits=("tiny",))


def content(n: int, seed: int = 0, channels: int = 2):
    rng = np.random.default_rng(seed)
    foreground = rng.random((n, 128, 128)) < 0.6
    stroke = foreground & (rng.random((n, 128, 128)) < 0.1) & (np.arange(n) % 2 == 0)[:, None, None]
    images = rng.integers(8, 256, (n, channels, 128, 128)).astype(np.uint8) * foreground[:, None]
    return images, stroke, foreground


def write(out, patients=("p1", "p2"), n=3):
    with SliceSetWriter(out, ABOUT) as writer:
        for k, patient in enumerate(patients):
            writer.add(
                *content(n, k), patient=patient, case="c", plane=np.arange(n), z=np.arange(n) * 5.0 - 20,
                spacing=(1.5, 1.5, 5.0), source="test",
            )  # fmt: skip
    return out


@settings(max_examples=10)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=9).filter(lambda s: "\0" not in s and s.isprintable()), st.integers(1, 3)), min_size=1, max_size=4, unique_by=lambda pair: pair[0]))  # fmt: skip
def test_round_trip(tmp_path_factory, patients):
    out = tmp_path_factory.mktemp("round") / "set"
    parts = [content(n, seed) for seed, (_, n) in enumerate(patients)]
    with SliceSetWriter(out, ABOUT) as writer:
        writer.card["note"] = "ü"
        for (name, n), part in zip(patients, parts, strict=True):
            writer.add(
                *part,
                patient=name,
                case='c,"1',
                plane=range(n),
                z=np.arange(n) / 3,
                spacing=(1, 2, 3),
                source="s",
            )
    slices = SliceSet.open(out)
    for got, want in zip(
        (slices.images, slices.stroke, slices.foreground),
        map(np.concatenate, zip(*parts, strict=True)),
        strict=True,
    ):
        assert got.dtype == np.uint8 and np.array_equal(got, want)
    assert slices.patients == [name for name, _ in patients]
    assert slices.table["has_stroke"].tolist() == slices.stroke.any((1, 2)).astype(int).tolist()
    assert slices.card["note"] == "ü" and slices.card["counts"]["patients"] == len(patients)
    assert np.array_equal(
        np.sort(np.concatenate([slices.of_split(s) for s in ("train", "validation", "test")])),
        slices.of_split("all"),
    )
    assert sorted(p.name for p in out.iterdir()) == sorted((*ARRAYS, "slices.csv", "dataset.json"))


def test_no_patient_on_two_sides(tmp_path):
    slices = SliceSet.open(write(tmp_path / "set", [f"p{n}" for n in range(25)], 1))
    sides = [
        {str(p) for p in slices.table["patient"][slices.of_split(s)]} for s in ("train", "validation", "test")
    ]
    assert sum(map(len, sides)) == 25 and not set.intersection(*sides)
    folds = [slices.of_split("test", fold) for fold in range(5)]
    assert np.array_equal(np.sort(np.concatenate(folds)), np.arange(25))
    for fold in range(5):
        parts = [slices.of_split(part, fold) for part in ("train", "validation", "test")]
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(25))
    with pytest.raises(ValueError, match="no split"):
        slices.of_split("dev")


def test_lesion_volume(tmp_path):
    slices = SliceSet.open(write(tmp_path / "set"))
    assert slices.lesion_ml()["p1"] == pytest.approx(slices.stroke[:3].sum() * 1.5 * 1.5 * 5 / 1000)


@pytest.mark.parametrize("name", [*ARRAYS, "slices.csv"])
def test_a_changed_byte_and_a_missing_file(tmp_path, name):
    path = write(tmp_path / "set") / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match=f"{name}: is missing or has changed.*make the data set again"):
        SliceSet.open(tmp_path / "set")
    path.unlink()
    with pytest.raises(BadInput, match=f"{name}: is missing or"):
        SliceSet.open(tmp_path / "set")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"format_version": 2}, "format version 2, newer than this kit's 1"),
        ({"format_version": "x"}, "cannot be read"),
        ({"shape": None}, "cannot be read"),
        ({"shape": [6, 1, 128, 128]}, "differ from its card"),
        ({"sha256": {}}, "has changed"),
    ],
)
def test_cards_that_lie(tmp_path, change, what):
    card = write(tmp_path / "set") / "dataset.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(BadInput, match=what):
        SliceSet.open(tmp_path / "set")


def test_no_sliceset(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInput, match="is not a SliceSet"):
            SliceSet.open(folder)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        SliceSet.open(tmp_path)


def test_an_array_that_is_no_array(tmp_path):
    out = write(tmp_path / "set")
    (out / "stroke.npy").write_bytes(b"x" * 500)
    with pytest.raises(BadInput, match="cannot be read"):
        SliceSet.open(out, verify=False)


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), SliceSetWriter(tmp_path / "set", ABOUT) as writer:
        writer.add(*content(1), patient="p", case="c", plane=[0], z=[0.0], spacing=(1, 1, 1), source="s")
        raise RuntimeError
    with pytest.raises(BadInput, match="would hold no slice"), SliceSetWriter(tmp_path / "set", ABOUT):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once(tmp_path):
    with SliceSetWriter(tmp_path / "set", ABOUT) as first:
        with (
            pytest.raises(BadInput, match="being written by another process"),
            SliceSetWriter(tmp_path / "set", ABOUT),
        ):
            pass
        first.add(*content(1), patient="p", case="c", plane=[0], z=[0.0], spacing=(1, 1, 1), source="s")
    assert len(SliceSet.open(tmp_path / "set")) == 1


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    (tmp_path / ".set.partial").mkdir()
    (tmp_path / ".set.partial" / "images.npy").write_bytes(b"half")
    assert len(SliceSet.open(write(tmp_path / "set"))) == 6
    assert os.listdir(tmp_path) == ["set"]


@pytest.mark.parametrize(
    "fault", ["dark tissue", "bright air", "stroke outside", "type", "channels", "shape"]
)
def test_the_form_is_kept(tmp_path, fault):
    images, stroke, foreground = (a.copy() for a in content(2))
    at = tuple(np.argwhere(foreground[0] & ~stroke[0])[0])
    off = tuple(np.argwhere(~foreground[0])[0])
    if fault == "dark tissue":
        images[0, 1][at] = 7
    if fault == "bright air":
        images[0, 0][off] = 9
    if fault == "stroke outside":
        stroke[0][off] = True
    images = images.astype(np.int16) if fault == "type" else images[:, :1] if fault == "channels" else images
    stroke = stroke[:1] if fault == "shape" else stroke
    with pytest.raises(ValueError), SliceSetWriter(tmp_path / "set", ABOUT) as writer:
        writer.add(
            images,
            stroke,
            foreground,
            patient="p",
            case="c",
            plane=[0, 1],
            z=[0, 1],
            spacing=(1, 1, 1),
            source="s",
        )
    assert set(COLUMNS) >= {"patient", "has_stroke"} and list(tmp_path.iterdir()) == []


def test_a_byte_between_nothing_and_tissue_is_refused(tmp_path):
    about = About("x", "x", "x", "x", ("grey",), "test")
    foreground = np.zeros((1, SIZE, SIZE), bool)
    foreground[:, 40:60, 40:60] = True
    images = np.where(foreground, 100, 7).astype(np.uint8)[:, None]  # 7 lies outside, where 0 must be
    with pytest.raises(ValueError, match="0 outside"), SliceSetWriter(tmp_path / "set", about) as writer:
        writer.add(
            images, ~foreground & foreground, foreground, patient="p", case="c",
            plane=[0], z=[0.0], spacing=(1, 1, 1), source="s",
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [[], [1, 2], "none", None])
def test_a_card_with_a_strange_shape_ends_in_one_line(tmp_path, shape):
    (tmp_path / "dataset.json").write_text(json.dumps({"format_version": 1, "shape": shape, "sha256": {}}))
    with pytest.raises(BadInput, match=r"dataset\.json: cannot be read"):
        SliceSet.open(tmp_path)


def test_a_name_too_long_ends_in_one_line(tmp_path):
    about = About("x", "x", "x", "x", ("grey",), "test")
    with pytest.raises(BadInput, match="cannot be written"), SliceSetWriter(tmp_path / ("n" * 300), about):
        pass
    with pytest.raises(BadInput, match="cannot be read"):
        SliceSet.open(tmp_path / ("n" * 300))
