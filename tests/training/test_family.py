"""The family learns: nothing is dead, everything resumes, and the door says what is wrong."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from torch import Tensor, nn

from strokegan_lib import train
from strokegan_lib.data.batches import Batch, Batches
from strokegan_lib.evaluation.synthetic import paint, sample
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.models.family.progressive import PHASES
from strokegan_lib.models.gan import GAN
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.tasks import settle
from strokegan_lib.training.weights import load_weights, save_weights

ROUNDING = 1e-11  # of the largest gradient: what is less is 0 on paper
STEPS = 4


def made(name: str, steps: int = STEPS) -> GAN:
    torch.manual_seed(0)
    return MEMBERS[name].make(4, steps)


def batch(slices) -> Batch:
    """Two slices in double precision, one with a stroke."""
    drawn = Batches(slices, np.arange(len(slices)), size=2, lesion_share=0.5).batch(0)
    return Batch(*(plane.double() for plane in (drawn.image, drawn.stroke, drawn.foreground)), drawn.index)


@pytest.mark.parametrize("name", MEMBERS)
def test_every_parameter_learns(name, slices):
    """In one of a few steps: those of a stage that grows old show no picture any more."""
    gan, optimisers, largest = made(name, steps=9), {}, {}
    for network_name, network in gan.networks.items():
        network.double()
        optimisers[network_name] = torch.optim.Adam(
            network.parameters(), gan.optimisers[network_name].learning_rate
        )

    def update(network_name: str, loss: Tensor) -> None:
        optimisers[network_name].zero_grad()
        loss.backward()
        optimisers[network_name].step()
        for k, p in gan.networks[network_name].named_parameters():
            size = 0.0 if p.grad is None else float(p.grad.abs().max())
            largest[network_name, k] = max(size, largest.get((network_name, k), 0.0))

    # between the margins of the hinge, true logits push a bias up as much as fakes push it down:
    # begin where some have passed them
    if name in ("sagan", "pix2pixhd"):
        for k, p in gan.discriminator.named_parameters():
            if k.endswith("head.bias"):
                nn.init.constant_(p, 2.0)
    for _ in range(9 if name == "progressive" else 3):
        gan.step(gan.networks, batch(slices), update)
    bound = ROUNDING * max(largest.values())
    assert {k for k, size in largest.items() if size <= bound} == set()
    assert len(largest) == sum(len(list(n.parameters())) for n in gan.networks.values())


@pytest.mark.parametrize("name", MEMBERS)
def test_an_interrupted_run_ends_with_the_same_bits(name, slices, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    expected = tiny.make_loop(made(name), slices, whole, steps=STEPS).run()
    first = tiny.make_loop(made(name), slices, parts, steps=STEPS)
    original = first.gan.step

    def step(*args: Any) -> dict[str, Tensor]:
        if first.step == 1:
            signal.raise_signal(signal.SIGINT)
        return original(*args)

    first.gan.step = step
    assert first.run().step == 2
    done = tiny.make_loop(made(name), slices, parts, steps=STEPS).run(resume=True)
    assert tiny.losses_of(done.rows) == tiny.losses_of(expected.rows) and len(done.rows) == STEPS
    ours, theirs = (torch.load(checkpoints(folder)[0], weights_only=True) for folder in (parts, whole))
    assert not tiny.differences(ours, theirs)


def test_other_steps_draw_other_numbers(slices):
    gan, drawn = made("dcgan"), []
    gan.networks["generator"].register_forward_pre_hook(lambda _, z: drawn.append(z[0]))
    loop = tiny.make_loop(gan, slices, steps=3)
    loop.run()
    assert len(drawn) == 3 and not torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[1], drawn[2])


def test_progressive_players_grow_together_and_are_grown_before_the_end(slices):
    gan = made("progressive", steps=10)
    phases = [row["phase"] for row in tiny.make_loop(gan, slices, steps=10).run().rows]
    assert phases == sorted(phases) and phases[0] == pytest.approx(PHASES / 6) and phases[5:] == [PHASES] * 5
    assert len({float(network.phase) for network in gan.networks.values()}) == 1


def test_the_slope_that_r1_punishes_is_that_of_the_discriminator(slices):
    gan = made("progressive")
    gan.discriminator.double().requires_grad_(True)
    gan.networks["generator"].double()
    recorded = gan.step(gan.networks, one := batch(slices), lambda name, loss: None)
    image = torch.nn.functional.adaptive_avg_pool2d(one.image, 8)
    image = torch.nn.functional.interpolate(image, size=128).requires_grad_()  # as coarse as stage 0
    gan.discriminator.phase.zero_()
    (slope,) = torch.autograd.grad(gan.discriminator(image).sum(), image)
    assert float(recorded["slope"].detach()) == pytest.approx(float(slope.square().sum((1, 2, 3)).mean()) / 2)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_generator_comes_back_the_same(name, tmp_path):
    member, network = MEMBERS[name], next(iter(made(name).networks.values())).eval()
    if name == "progressive":
        network.grow(2.5)  # the file says how far it has grown
    save_weights(tmp_path / "w.safetensors", network, {"member": name})
    loaded, about = load_weights(tmp_path / "w.safetensors", member.network)
    assert about == {"member": name} and loaded.config == network.config
    if member.conditional:
        masks = np.zeros((2, 3, 128, 128), np.uint8)
        masks[1, :, 30:90, 40:90] = 1
        assert np.array_equal(paint(loaded, *masks), paint(network, *masks))
    else:
        assert np.array_equal(sample(loaded, 3), sample(network, 3))


class Grey(nn.Module):
    """Paints every z as one grey, near the darkest tissue."""

    latent = 3

    def forward(self, z: Tensor) -> Tensor:
        assert z.shape[1] == 3
        return ((8 + 4 * z[:, :1, None, None]) / 255).clamp(0, 1).expand(-1, 1, 128, 128)


def test_samples_have_the_form_of_a_data_set_and_a_seed():
    painted = sample(Grey(), 70, seed=5)  # more than one chunk
    assert painted.shape == (70, 1, 128, 128) and painted.dtype == np.uint8
    greys = painted[:, 0, 0, 0]
    assert set(greys) <= {0, *range(8, 30)} and (greys == 0).any() and (greys == 8).any()
    assert np.array_equal(sample(Grey(), 70, seed=5), painted)
    assert np.array_equal(sample(Grey(), 9, seed=5), painted[:9])
    assert not np.array_equal(sample(Grey(), 70, seed=6), painted)


def door(monkeypatch, capsys, *words: Any) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``train family``."""
    monkeypatch.setattr(sys, "argv", [train.PROG, "family", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        train.main()
    return end.value.code or 0, *capsys.readouterr()


def test_a_run_through_the_door(slices, tmp_path, monkeypatch, capsys):
    run = ("--data", slices.folder, "--out", tmp_path / "run")
    tiny_run = ("--steps", "2", "--width", "4", "--batch-size", "2", "--threads", "1")
    code, said, _ = door(monkeypatch, capsys, "--member", "sagan", *run, *tiny_run)
    assert code == 0 and "of 2 steps" in said
    network, about = load_weights(tmp_path / "run" / "weights.safetensors", "sagan")
    assert network.config == {"width": 4, "latent": 64}
    assert about["settings"]["member"] == "sagan" and about["settings"]["lesion_share"] == 1.0
    code, said, _ = door(monkeypatch, capsys, *run, "--resume")
    assert code == 0 and "to its end before" in said
    code, _, stderr = door(monkeypatch, capsys, *run, "--resume", "--member", "dcgan")
    assert code == 2 and "member was sagan, now dcgan" in stderr


def test_settings_of_the_door_are_the_members_own(tmp_path):
    settled = {name: settle({"task": "family", "member": name, "out": tmp_path}) for name in MEMBERS}
    assert {name: s["lesion_share"] for name, s in settled.items() if MEMBERS[name].conditional} == {
        "pix2pix": 0.5, "pix2pixhd": 0.5,
    }  # fmt: skip
    assert {s["lesion_share"] for name, s in settled.items() if not MEMBERS[name].conditional} == {1.0}
    assert all(s["width"] == MEMBERS[name].width for name, s in settled.items())
    assert settle({"task": "family", "out": tmp_path})["member"] == "dcgan"
    json.dumps(settled)


def test_wrong_use_is_one_line(slices, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    run = ("--data", slices.folder, "--out", out)

    def refused(word: str, *words: Any) -> None:
        code, _, stderr = door(monkeypatch, capsys, *words)
        assert code == 2 and stderr.count("\n") == 1 and word in stderr, stderr

    refused("cyclegan", *run, "--member", "cyclegan")
    refused("--steps: 0", *run, "--member", "dcgan", "--steps", "0")
    refused("--width 6", *run, "--member", "dcgan", "--width", "6")
    refused("--no-attention", *run, "--member", "dcgan", "--no-attention")
    refused("is not there", *run, "--member", "dcgan", "--start", tmp_path / "none")
    weights = tmp_path / "dcgan.safetensors"
    save_weights(weights, next(iter(made("dcgan").networks.values())), {})
    refused("holds a dcgan, not a sagan", *run, "--member", "sagan", "--start", weights)
    assert not out.exists(), "nothing half-made is left"


def test_slices_of_several_channels_are_refused(slices, tmp_path, monkeypatch, capsys):
    from test_train import made as made_set  # the door's own tests

    two = made_set(tmp_path / "two", channels=2)
    code, _, stderr = door(monkeypatch, capsys, "--data", two.folder, "--out", tmp_path / "run")
    assert code == 2 and "several channels" in stderr and stderr.count("\n") == 1
