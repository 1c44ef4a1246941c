"""The training command: a run of each task, its record, and every wrong use in one line."""

import csv
import json
import signal
from functools import partial

import pytest
from brains import brains, noise_set
from filelock import FileLock

from strokegan_lib import train
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.training.tasks import resolve_settings
from strokegan_lib.training.weights import NETWORKS, load_weights

TINY = ("--steps", "3", "--width", "4", "--batch-size", "4", "--checkpoint-seconds", "0", "--threads", "1")


@pytest.fixture(scope="module")
def slices(tmp_path_factory) -> SliceSet:
    return brains(tmp_path_factory.mktemp("data") / "set", each=1)


@pytest.fixture
def command(command):
    """Exit code, stdout and stderr of the command."""
    return partial(command, train)


def one_line(result: tuple[int, str, str], *words: str) -> None:
    code, _, error = result
    assert code == 2 and error.count("\n") == 1, result
    assert all(word in error for word in words), error


@pytest.mark.parametrize(
    ("words", "kind", "expected"),
    [
        ("segmentation", "segmentor", {"method": "masked", "multi_scale": 1.0, "average": 0.99}),
        ("synthesis", "generator", {"generator": "paper", "adversarial": "logistic", "average": 0.995}),
        (
            "synthesis --generator styled --style 5 --no-grain --kl 0.5", "styled generator",
            {"generator": "styled", "kl": 0.5, "pixel": 10.0, "r1": 1.0, "grain": False, "style": 5},
        ),
        ("family --member pix2pix", "pix2pix", {"member": "pix2pix", "lesion_share": 0.5}),
        ("masks", "mask generator", {"noise": 64, "lesion_share": 1.0}),
        ("encoder --features 6", "encoder", {"features": 6, "lesion_share": 0.5}),
    ],
)  # fmt: skip
def test_a_run_of_each_task_and_its_record(command, slices, tmp_path, words, kind, expected):
    out = tmp_path / "run"
    code, said, error = command(*words.split(), "--data", slices.folder, "--out", out, *TINY)
    assert code == 0 and "of 3 steps" in said, error
    with open(out / "metrics.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [0, 1, 2]
    network, about = load_weights(out / "weights.safetensors", kind)
    assert type(network) is NETWORKS[kind] and about["data_sha256"] == slices.card["sha256"]
    settings = json.loads((out / "settings.json").read_text())
    sizes = {"steps": 3, "width": 4, "batch_size": 4}
    common = {"seed": 0, "profile": "quick", "fold": None, "start": None}
    assert about["settings"] == settings and {**sizes, **common, **expected}.items() <= settings.items()
    assert ("threshold" in about) == (kind == "segmentor")


def test_a_profile_decides_the_sizes_that_are_not_given():
    full = resolve_settings("segmentation", {"profile": "full", "steps": 9, "method": "unet"})
    assert (full.steps, full.width, full.batch_size, full.bce) == (9, 32, 32, 1.0)
    assert resolve_settings("masks", {"profile": "full"}).width == 16
    assert resolve_settings("family", {"profile": "full", "member": "sagan"}).width == 8


BAD = [  # words, what the line names; no data set is there, so that nothing else can be wrong first
    ("segmentation --width 6", "--width 6"),
    ("segmentation --lesion-share 2", "--lesion-share: 2", "or data"),
    ("synthesis --pixel 0 --multi-scale 0", "every weight"),
    ("synthesis --no-grain", "--grain", "does not go with --generator paper"),
    ("segmentation --start nowhere.safetensors", "nowhere.safetensors", "is not there"),
    ("segmentation --lesion-share data", "nowhere", "SliceSet"),
]


@pytest.mark.parametrize(("words", "named"), [(words, named) for words, *named in BAD])
def test_wrong_use_is_one_line(command, tmp_path, words, named):
    out = tmp_path / "run"
    one_line(command(*words.split(), "--data", tmp_path / "nowhere", "--out", out), *named)
    assert not out.exists(), "nothing half-made is left"


def test_data_that_cannot_be_learnt_from_are_refused(command, tmp_path):
    out, two = tmp_path / "run", noise_set(tmp_path / "two").folder
    few = brains(tmp_path / "few", patients=30, every=2).folder
    for task, data, words in (
        ("segmentation", few, "in its validation"),
        ("family", two, "several"),
        ("encoder", two, "several"),
    ):
        one_line(command(task, "--data", data, "--out", out, *TINY), str(data), words)
    assert not out.exists()


def test_resume_needs_no_options(command, slices, tmp_path, monkeypatch):
    out, step = tmp_path / "run", train.Loop._one_step
    common = ("segmentation", "--data", slices.folder, "--out", out)

    def interrupted(loop):
        if loop.step == 1:
            signal.raise_signal(signal.SIGINT)
        return step(loop)

    monkeypatch.setattr(train.Loop, "_one_step", interrupted)
    code, said, _ = command(*common, *TINY)
    assert code == 130 and "--resume" in said and not (out / "weights.safetensors").exists()
    code, said, _ = command(*common, "--resume", "--threads", "1")
    assert code == 0 and "goes on after step 2 of 3" in said and (out / "weights.safetensors").exists()


def test_a_run_goes_on_with_its_own_settings_alone_and_another_may_start_from_it(command, slices, tmp_path):
    out, others = tmp_path / "run", brains(tmp_path / "others", each=1, seed=1).folder
    start = ("segmentation", "--data", slices.folder, "--out", out)
    assert command(*start, *TINY)[0] == 0
    before = {file: file.read_bytes() for file in out.iterdir()}
    one_line(command(*start, *TINY), str(out), "--resume")
    one_line(command(*start, "--resume", "--steps", "9"), "steps was 3 and is now 9")
    one_line(command("masks", *start[1:], "--resume"), "task was segmentation and is now masks")
    one_line(command("segmentation", "--data", others, "--out", out, "--resume"), "data was")
    with FileLock(out / ".lock"):
        one_line(command(*start, "--resume"), str(out), "is being written by another process")
    assert {file: file.read_bytes() for file in out.iterdir()} == before

    words = ("--data", slices.folder, "--out", tmp_path / "next")
    go = ("--start", out / "weights.safetensors")
    one_line(command("segmentation", *words, "--method", "unet", *go, *TINY), "differs from the run in")
    one_line(command("synthesis", *words, *go, *TINY), "a segmentor, not a generator")
    assert not (tmp_path / "next").exists()
    assert command("segmentation", *words, *go, *TINY)[0] == 0
    about = load_weights(tmp_path / "next" / "weights.safetensors", "segmentor")[1]
    assert about["settings"]["start"]["file"] == "weights.safetensors"
    for checkpoint in (tmp_path / "next").glob("*.pt"):
        checkpoint.unlink()
    one_line(command("segmentation", *words, "--resume"), "holds no checkpoint yet", "again")
    (out / "settings.json").write_text("{")
    one_line(command(*start, "--resume"), "settings.json", "cannot be read")


def test_a_run_that_another_process_has_made_meanwhile_is_left_alone(command, slices, tmp_path, monkeypatch):
    out, build, before = tmp_path / "run", train.tasks.build, {}
    start = ("segmentation", "--data", slices.folder, "--out", out, *TINY, "--method")

    def slow(*settings):
        monkeypatch.setattr(train.tasks, "build", build)
        assert command(*start, "unet")[0] == 0
        before.update({file: file.read_bytes() for file in out.iterdir()})
        return build(*settings)

    monkeypatch.setattr(train.tasks, "build", slow)
    one_line(command(*start, "segan"), str(out), "holds a run already")
    assert {file: file.read_bytes() for file in out.iterdir()} == before != {}
