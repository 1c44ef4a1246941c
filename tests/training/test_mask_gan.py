"""The game of masks: what a step does, and a run that ends the same however often it is stopped."""

from __future__ import annotations

import signal

import pytest
import tiny
import torch
from test_every_parameter_learns import ROUNDING

from strokegan_lib.data.augment import Augmentation
from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss
from strokegan_lib.models.family.dual import MaskGAN, soften
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.family import GENTLE
from strokegan_lib.training.weights import load_weights, save_weights


def gan() -> MaskGAN:
    torch.manual_seed(0)
    return MaskGAN(8, width=4)


def batch(dtype=torch.float32) -> Batch:
    foreground = torch.zeros(4, 1, 128, 128, dtype=dtype)
    foreground[..., 10:110, 20:100] = 1
    stroke = torch.zeros_like(foreground)
    for k in range(4):
        stroke[k, :, 30 : 40 + 4 * k, 40 : 50 + 2 * k] = 1
    return Batch(foreground, stroke, foreground, torch.arange(4))


def test_a_step_is_one_turn_of_each_player():
    game, updates = gan(), []
    torch.manual_seed(7)
    said = game.step(game.networks, batch(), lambda name, loss: updates.append((name, loss)))
    assert [name for name, _ in updates] == ["critic", "generator"]
    again, true = gan(), soften(torch.cat([batch().stroke, batch().foreground], 1))
    torch.manual_seed(7)
    fake = again.generator(torch.randn(4, 8))
    torch.testing.assert_close(
        said["critic"], critic_loss([again.discriminator(true)], [again.discriminator(fake)], "hinge")
    )
    # a forward pass in training mode moves the estimate of the spectral norm a little
    torch.testing.assert_close(
        said["generator"], generator_loss([again.discriminator(fake)], "hinge"), rtol=0.05, atol=0.01
    )


def test_every_parameter_learns():
    game = gan()
    optimisers = {name: torch.optim.Adam(n.double().parameters(), 1e-3) for name, n in game.networks.items()}
    torch.nn.init.constant_(
        game.discriminator.head[-1].bias, 2.0
    )  # past the hinge for some: else its pulls cancel

    def update(name, loss):
        optimisers[name].zero_grad()
        loss.backward()
        optimisers[name].step()

    for _ in range(3):
        game.step(game.networks, batch(torch.float64), update)
    for network in game.networks.values():
        sizes = {
            n: 0.0 if p.grad is None else float(p.grad.abs().max()) for n, p in network.named_parameters()
        }
        assert not [n for n, size in sizes.items() if size <= ROUNDING * max(sizes.values())]


def test_masks_are_changed_less_than_slices():
    usual = Augmentation()
    for name in ("rotation", "scale", "shear", "shift"):
        assert 0 < getattr(GENTLE, name) < getattr(usual, name)


@pytest.mark.parametrize("stop", [1, 3])
def test_stopped_and_resumed_it_ends_with_the_same_bits(slices, tmp_path, stop):
    whole = tiny.make_loop(gan(), slices, tmp_path / "whole", steps=5)
    expected = whole.run()
    half = tiny.make_loop(gan(), slices, tmp_path / "half", steps=5)
    original, left = half.gan.step, [stop]

    def step(*args):
        left[0] -= 1
        if not left[0]:
            signal.raise_signal(signal.SIGINT)
        return original(*args)

    half.gan.step = step
    assert half.run().step == stop
    resumed = tiny.make_loop(gan(), slices, tmp_path / "half", steps=5)
    done = resumed.run(resume=True)
    assert done.step == 5 and tiny.losses_of(done.rows) == tiny.losses_of(expected.rows)
    assert not tiny.differences(tiny.state_of(resumed), tiny.state_of(whole))
    assert checkpoints(tmp_path / "half")


def test_weights_come_back(tmp_path):
    network = gan().generator.eval()
    save_weights(tmp_path / "weights.safetensors", network, {"a": 1})
    again, about = load_weights(tmp_path / "weights.safetensors", "mask generator")
    z = torch.randn(2, 8)
    assert about == {"a": 1} and torch.equal(again(z), network(z))
