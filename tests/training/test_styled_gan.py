"""Training with styles: every weight learns, codes are remembered, a stopped run ends as if it had not been."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from test_every_parameter_learns import batch, dead_after_two_steps, past_the_margins

from strokegan_lib.data.augment import MIRROR
from strokegan_lib.losses import ADVERSARIAL
from strokegan_lib.training.checkpoint import checkpoints
from strokegan_lib.training.styled import StyledGAN, StyledSettings
from strokegan_lib.training.weights import GENERATORS, load_weights, save_weights

SMALL = StyledSettings(style=5, width=4)


def gan(**changes) -> StyledGAN:
    torch.manual_seed(0)
    return StyledGAN(replace(SMALL, **changes))


@pytest.mark.parametrize(
    "changes",
    [{}, {"grain": False}, *({"adversarial": a} for a in ADVERSARIAL)],
)
def test_every_parameter_learns(changes):
    game = gan(**changes)
    assert set(game.networks) == {"generator", "critic", "style"}
    past_the_margins(game.critic)
    assert dead_after_two_steps(game, 1) == {name: set() for name in game.networks}


def test_an_update_of_several_networks_moves_each_of_them(slices):
    loop = tiny.make_loop(gan(), slices, steps=2)
    before = {name: [p.clone() for p in n.parameters()] for name, n in loop.gan.networks.items()}
    loop.run()
    for name, network in loop.gan.networks.items():
        assert any(not torch.equal(a, b) for a, b in zip(before[name], network.parameters(), strict=True)), (
            name
        )


def test_codes_of_half_the_batch_are_remembered():
    game, told = gan(), []
    game.generator.update_moments = told.append
    losses = game.step(game.networks, _single(batch(1)), lambda names, loss: loss.backward())
    assert [codes.shape for codes in told] == [(1, 5)] and losses["kl"] > 0


def test_a_drawn_code_is_asked_for_in_what_was_painted_with_it():
    pulls = {}
    for weight in (0.0, 100.0):
        game, slices = gan(latent=weight), _single(batch(1))
        torch.manual_seed(1)
        losses = game.step(
            game.networks, slices, lambda names, loss: None if names == "critic" else loss.backward()
        )
        assert losses["latent"] > 0
        pulls[weight] = [
            torch.cat([p.grad.flatten() for p in game.networks[name].parameters()])
            for name in ("generator", "style")
        ]
    (without, alone), (asked, helped) = pulls.values()
    assert not torch.allclose(without, asked), "the generator must show the code"
    assert torch.allclose(alone, helped, atol=1e-6), "the encoder must not learn from it"


def test_stopped_and_resumed_ends_bit_for_bit_the_same(slices, tmp_path):
    tiny.make_loop(gan(), slices, tmp_path / "whole", steps=4).run()
    half = tiny.make_loop(gan(), slices, tmp_path / "parts", steps=4)
    one_step = half._one_step

    def stop_after_two() -> dict:
        if half.step == 2:
            raise KeyboardInterrupt
        return one_step()

    half._one_step = stop_after_two
    with pytest.raises(KeyboardInterrupt):
        half.run()
    tiny.make_loop(gan(), slices, tmp_path / "parts", steps=4).run(resume=True)
    ours, theirs = (
        torch.load(checkpoints(tmp_path / name)[0], weights_only=True) for name in ("parts", "whole")
    )
    assert ours["step"] == 4 and not tiny.differences(ours, theirs)


def test_its_weights_keep_the_codes_moments(slices, tmp_path):
    trained = tiny.make_loop(gan(), slices, steps=3).run().network
    file = tmp_path / "w.safetensors"
    save_weights(file, trained, {"steps": 3}, half=True)
    loaded, about = load_weights(file, GENERATORS)
    assert about == {"steps": 3} and loaded.config == trained.config
    assert loaded.first.abs().max() > 0
    assert torch.allclose(loaded.second, trained.second, atol=1e-3)
    masks = torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32)
    assert loaded(*masks).isfinite().all(), "a covariance that was rounded can still be drawn from"


def test_no_slice_is_turned_or_relit():
    draw = MIRROR.draw(np.random.default_rng(0), 50, 1)
    assert set(draw.matrix[:, 0, 0].round(9)) == {-1.0, 1.0} and not draw.matrix[:, :, 2].any()
    assert (draw.gain == 1).all() and (draw.gamma == 1).all() and not draw.bias.any() and not draw.noise.any()


def _single(doubles):
    """The batch in float32."""
    return type(doubles)(
        *(part.float() for part in (doubles.image, doubles.stroke, doubles.foreground)), doubles.index
    )
