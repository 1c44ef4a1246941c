"""The encoder: its shapes, its training, and its shipped file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from strokegan_lib import train
from strokegan_lib.data.batches import Batch, Batches, Mixed
from strokegan_lib.data.corruptions import CORRUPTIONS, corrupt
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.models.encoder import ANSWERS, Encoder
from strokegan_lib.training.encoder import EncoderSettings, EncoderTask
from strokegan_lib.training.weights import load_weights


def made(out: Path) -> SliceSet:
    """24 patients of one slice: noise in a rectangle, with a square for a stroke in every other one."""
    rng = np.random.default_rng(0)
    foreground = np.zeros((1, 128, 128), bool)
    foreground[:, 20:108, 28:100] = True
    with SliceSetWriter(out, About("tiny", "made up", "none", "nobody", ("flair",), "pytest")) as writer:
        for number in range(24):
            stroke = np.zeros_like(foreground)
            stroke[:, 40 : 40 + 20 * (number % 2), 40:60] = True
            image = (rng.integers(60, 250, (1, 1, 128, 128)) * foreground).astype(np.uint8)
            writer.add(
                image, stroke, foreground, patient=f"p{number}", case="c", plane=np.zeros(1), z=np.zeros(1),
                spacing=(1.5, 1.5, 5.0), source="test",
            )  # fmt: skip
    return SliceSet.open(out)


def batch(n: int = 6) -> Batch:
    torch.manual_seed(0)
    foreground = torch.zeros(n, 1, 128, 128)
    foreground[:, :, 20:108, 28:100] = 1
    stroke = torch.zeros_like(foreground)
    stroke[: n // 2, :, 40:60, 40:60] = 1
    image = (0.2 + 0.4 * torch.rand_like(foreground) + 0.3 * stroke) * foreground
    return Batch(image, stroke, foreground, torch.arange(n))


def test_features_and_answers_have_their_widths():
    features, answers = Encoder(24, width=4).eval()(batch().image)
    assert features.shape == (6, 24)
    assert {name: part.shape[1] for name, part in answers.items()} == ANSWERS


def test_every_parameter_learns_and_the_loss_falls():
    torch.manual_seed(0)
    task = EncoderTask(EncoderSettings(features=8, width=4))
    encoder = task.networks["encoder"]
    optimiser = torch.optim.Adam(encoder.parameters(), 1e-2)
    losses = []

    def update(name: str, loss: torch.Tensor) -> None:
        assert name == "encoder"
        optimiser.zero_grad()
        loss.backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())
        optimiser.step()
        losses.append(float(loss.detach()))

    one = batch()
    for step in range(30):
        torch.manual_seed(step)
        recorded = task.step(task.networks, one, update)
    assert set(ANSWERS) < set(recorded)
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_features_are_standardised():
    torch.manual_seed(0)
    features, _ = Encoder(8, width=4).train()(batch().image)
    assert torch.allclose(features.mean(0), torch.zeros(8), atol=1e-5)
    assert torch.allclose(features.var(0, unbiased=False), torch.ones(8), atol=1e-2)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_degradation_grows_with_its_amount_and_stays_in_the_foreground(name: str):
    given = batch(2)
    way, distances = CORRUPTIONS[name], []
    for amount in (0.0, 0.3, 1.0):
        torch.manual_seed(1)
        spoilt = way(given.image, given.foreground, torch.full((2,), amount))
        assert not spoilt[given.foreground == 0].any()
        assert spoilt[given.foreground == 1].min() >= 8 / 255 and spoilt.max() <= 1
        distances.append(float((spoilt - given.image).abs().mean()))
    assert distances[0] == pytest.approx(0, abs=1e-6) and distances[0] < distances[1] < distances[2]


def test_each_slice_is_spoilt_by_its_own_amount():
    given = batch(2)
    amounts = torch.zeros(2, len(CORRUPTIONS))
    amounts[1] = 1
    spoilt = corrupt(given.image, given.foreground, amounts)
    assert torch.allclose(spoilt[0], given.image[0], atol=1e-6)
    assert (spoilt[1] - given.image[1]).abs().mean() > 0.03


def test_blur_is_a_gaussian_where_all_is_foreground():
    from scipy.ndimage import gaussian_filter

    torch.manual_seed(0)
    image = 0.2 + 0.6 * torch.rand(1, 1, 64, 64)
    ours = CORRUPTIONS["blur"](image, torch.ones_like(image), torch.tensor([0.5]))
    theirs = gaussian_filter(image[0, 0].numpy(), 1.5, truncate=6)
    assert np.abs(ours[0, 0].numpy() - theirs)[12:-12, 12:-12].max() < 1e-5


def test_a_copied_half_is_symmetric():
    given = batch(2)
    given.foreground[:] = 1
    spoilt = CORRUPTIONS["copied half"](given.image + 0.1, given.foreground, torch.ones(2))
    assert torch.allclose(spoilt, spoilt.flip(-1))


def test_mixed_batches_hold_every_part(phantom):
    train, test = (
        Batches(phantom, phantom.of_split(part), size=size) for part, size in (("train", 3), ("test", 2))
    )
    mixed, again = Mixed([train, test]).batch(7), Mixed([train, test]).batch(7)
    assert mixed.image.shape == (5, 1, 128, 128) and mixed.stroke.shape == (5, 1, 128, 128)
    assert torch.equal(mixed.image[3:], test.batch(7).image) and torch.equal(mixed.index, again.index)
    assert set(mixed.index[:3].tolist()) <= set(phantom.of_split("train").tolist())


def test_the_door_trains_an_encoder_on_two_data_sets(tmp_path, monkeypatch, capsys):
    tiny = [made(tmp_path / name) for name in "ab"]
    out = tmp_path / "run"
    words = ["encoder", "--data", *(str(s.folder) for s in tiny), "--out", str(out), "--steps", "2"]
    monkeypatch.setattr(
        sys, "argv", [train.PROG, *words, "--features", "6", "--width", "4", "--threads", "1"]
    )
    with pytest.raises(SystemExit) as end:
        train.main()
    assert not end.value.code, capsys.readouterr().err
    encoder, about = load_weights(out / "weights.safetensors", "encoder")
    assert encoder.config == {"features": 6, "width": 4} and about["data"] == ["tiny", "tiny"]
    rows = (out / "metrics.csv").read_text().splitlines()
    assert len(rows) == 3 and "thumbnail" in rows[0]


def test_slices_of_two_channels_are_refused_in_one_line(tmp_path, monkeypatch, capsys):
    about = About("two", "made up", "none", "nobody", ("a", "b"), "pytest")
    with SliceSetWriter(tmp_path / "two", about) as writer:
        none = np.zeros((1, 128, 128), bool)
        writer.add(
            np.zeros((1, 2, 128, 128), np.uint8), none, none, patient="p1", case="c", plane=np.zeros(1),
            z=np.zeros(1), spacing=(1, 1, 1), source="test",
        )  # fmt: skip
    words = ["encoder", "--data", str(tmp_path / "two"), "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", [train.PROG, *words])
    with pytest.raises(SystemExit) as end:
        train.main()
    complaint = capsys.readouterr().err
    assert end.value.code == 2 and complaint.count("\n") == 1 and "channels" in complaint
    assert not (tmp_path / "run").exists()
