"""The synthesis game: whose turn it is, and a slope that is punished lazily, through plain attention."""

from __future__ import annotations

import pytest
import tiny
import torch
from test_every_parameter_learns import batch
from torch import nn

from strokegan_lib.losses import critic_loss, r1_penalty
from strokegan_lib.models import attention
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.synthesis import LAZY, SynthesisGAN, SynthesisSettings


def gan(**changes) -> SynthesisGAN:
    torch.manual_seed(0)
    game = SynthesisGAN(SynthesisSettings(width=8, **changes))
    nn.init.constant_(game.critic.attention.gamma, 0.5)  # as training may leave it
    return game


def updates_of(game: SynthesisGAN, steps: int) -> list[tuple[str, float]]:
    """The losses that the optimisers are given, without their taking a step."""
    given, doubles = [], batch(1)
    single = type(doubles)(
        *(part.float() for part in (doubles.image, doubles.stroke, doubles.foreground)), doubles.index
    )
    for _ in range(steps):
        said = game.step(game.networks, single, lambda name, loss: given.append((name, float(loss.detach()))))
        given[-2] = (*given[-2], float(said["critic"].detach()))
    return given


def test_each_player_has_its_turn_and_the_slope_counts_every_eighth_time():
    game = gan()
    given = updates_of(game, LAZY + 2)
    assert [name for name, *_ in given] == ["critic", "generator"] * (LAZY + 2)
    penalised = [total > adversarial for _, total, adversarial in given[::2]]
    assert [step for step, due in enumerate(penalised) if due] == [0, LAZY]
    assert int(game.critic.turns) == LAZY + 2


def test_without_r1_the_critic_hears_the_adversarial_loss_alone():
    assert all(total == adversarial for _, total, adversarial in updates_of(gan(r1=0.0), 2)[::2])


def test_the_penalty_is_lazy_times_the_slope_at_true_slices():
    game, one = gan(), batch(1)
    for network in game.networks.values():
        network.double().eval()  # no power iteration between the two looks
    totals = []
    said = game.step(game.networks, one, lambda name, loss: totals.append(loss))
    asked = torch.cat([one.stroke, one.foreground], 1)
    slope = r1_penalty(lambda picture: game.critic(torch.cat([asked, picture], 1))[1], one.image)
    expected = float(said["critic"].detach()) + LAZY * float(slope.detach())
    assert float(totals[0].detach()) == pytest.approx(expected)
    fake = game.generator(one.stroke, one.foreground).detach()
    _, of_true = game.critic(torch.cat([asked, one.image], 1))
    _, of_fake = game.critic(torch.cat([asked, fake], 1))
    assert float(said["critic"].detach()) == pytest.approx(float(critic_loss(of_true, of_fake).detach()))


def test_the_slope_is_punished_through_the_attention_too(monkeypatch):
    """The fused attention has no second derivative; the game asks for the plain one where it needs it."""
    monkeypatch.setattr(attention, "SMALL", 0)  # as on pictures larger than a slice
    game, one, totals = gan(), batch(1), []
    for network in game.networks.values():
        network.double()
    game.step(game.networks, one, lambda name, loss: totals.append(loss))
    game.critic.requires_grad_(True)
    plain = gan(r1=0.0)
    for network in plain.networks.values():
        network.double()
    plain.step(plain.networks, one, lambda name, loss: totals.append(loss))
    for each, network in ((totals[0], game.critic), (totals[2], plain.critic)):
        each.backward()
        assert network.attention.query.parametrizations.weight.original.grad.abs().max() > 0
    with_penalty, without = (
        network.attention.query.parametrizations.weight.original.grad
        for network in (game.critic, plain.critic)
    )
    assert not torch.allclose(with_penalty, without, rtol=1e-3)


@pytest.mark.parametrize("stop", [LAZY - 1, LAZY + 1])
def test_resumed_on_either_side_of_a_lazy_step_it_ends_with_the_same_bits(slices, tmp_path, stop):
    tiny.make_loop("synthesis", slices, tmp_path / "whole", steps=LAZY + 3).run()
    half = tiny.make_loop("synthesis", slices, tmp_path / "parts", steps=LAZY + 3)
    one_step = half._one_step

    def stopping() -> dict:
        if half.step == stop:
            raise KeyboardInterrupt
        return one_step()

    half._one_step = stopping
    with pytest.raises(KeyboardInterrupt):
        half.run()
    tiny.make_loop("synthesis", slices, tmp_path / "parts", steps=LAZY + 3).run(resume=True)
    ours, theirs = (
        torch.load(checkpoints(tmp_path / name)[0], weights_only=True) for name in ("parts", "whole")
    )
    assert not tiny.differences(ours, theirs)


@pytest.mark.parametrize("spectral", [True, False])
def test_spectral_normalisation_is_an_option(spectral):
    game = gan(spectral=spectral)
    assert hasattr(game.critic.levels[0][0], "parametrizations") == spectral
