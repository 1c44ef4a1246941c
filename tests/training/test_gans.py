"""Every GAN of the kit: no dead weights, turns that do not mix, runs that end the same however often they stop."""

from functools import partial

import pytest
import tiny
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from strokegan_lib.data.batches import Batch
from strokegan_lib.losses import critic_loss, generator_loss, multi_scale_l1, r1_penalty
from strokegan_lib.models import attention
from strokegan_lib.models.family import MEMBERS
from strokegan_lib.models.family.dual import soften
from strokegan_lib.models.family.progressive import PHASES, as_grown
from strokegan_lib.models.gan import GAN, Update
from strokegan_lib.training.checkpoint import load_checkpoint
from strokegan_lib.training.loop import Loop
from strokegan_lib.training.objectives import OBJECTIVES
from strokegan_lib.training.segmentation import METHODS
from strokegan_lib.training.synthesis import LAZY
from strokegan_lib.training.weights import GENERATORS, load_weights, save_weights

# A gradient that is 0 on paper is not 0 in floats; in double precision it is this much smaller
# than the others, or less: far from rounding, and far from the smallest that counts.
ROUNDING = 1e-11

FAMILY = [*MEMBERS, "masks"]
GANS = {
    **{name: partial(tiny.make_gan, name) for name in tiny.ROWS if name != "encoder"},
    **{f"{name}, 3 channels, attention switched": partial(
        tiny.make_gan, name, 3, attention=not METHODS[name].attention) for name in METHODS},
    **{f"loss {name}": partial(tiny.make_gan, "masked", loss=name) for name in OBJECTIVES},
    "hinge": partial(tiny.make_gan, "paper", adversarial="hinge"),
    "spectral, 3 channels, no attention": partial(tiny.make_gan, "paper", 3, spectral=True, attention=False),
    "styled, hinge, no grain": partial(tiny.make_gan, "styled", adversarial="hinge", grain=False),
    "progressive": partial(tiny.make_gan, "progressive", steps=9),
}  # fmt: skip


def batch(channels: int = 1, dtype: torch.dtype = torch.float64) -> Batch:
    """Two slices of 128 x 128, the first with a bright stroke."""
    generator = torch.Generator().manual_seed(0)
    foreground = torch.zeros(2, 1, 128, 128, dtype=dtype)
    foreground[..., 16:112, 24:104] = 1
    stroke = torch.zeros_like(foreground)
    stroke[0, :, 40:64, 36:68] = 1
    image = torch.rand(2, channels, 128, 128, generator=generator, dtype=dtype)
    return Batch((0.2 + 0.4 * image + 0.3 * stroke) * foreground, stroke, foreground, torch.arange(2))


def dead(gan: GAN, channels: int = 1) -> set[tuple[str, str]]:
    """Parameters without a gradient in all of three steps: two move gamma off 0, the third shows what learns."""
    adams, largest = {}, {}
    for name, network in gan.networks.items():
        adams[name] = torch.optim.Adam(network.double().parameters(), gan.optimisers[name].learning_rate)
        largest[name] = dict.fromkeys(dict(network.named_parameters()), 0.0)
        for key, parameter in network.named_parameters():
            if "gamma" in key:
                nn.init.constant_(parameter, 0.5)
            # between the margins of the hinge true logits push a last bias up as much as fakes push it down
            if name == "critic" and key.endswith("bias") and parameter.numel() == 1:
                nn.init.constant_(parameter, 2.0)

    def update(names: str | tuple[str, ...], loss: Tensor) -> None:
        names = [names] if isinstance(names, str) else names
        for name in names:
            adams[name].zero_grad()
        loss.backward()
        for name in names:
            adams[name].step()
            for key, p in gan.networks[name].named_parameters():
                if p.grad is not None:
                    largest[name][key] = max(float(p.grad.abs().max()), largest[name][key])

    # what grows has all stages at work in the end
    for _ in range(9 if hasattr(gan, "phases_per_step") else 3):
        gan.step(gan.networks, batch(channels), update)
    least = {name: ROUNDING * max(sizes.values()) for name, sizes in largest.items()}
    return {(name, key) for name, sizes in largest.items() for key, n in sizes.items() if n <= least[name]}


@pytest.mark.parametrize("name", GANS)
def test_every_parameter_gets_a_gradient(name):
    gan = GANS[name]()
    assert gan.networks.keys() == gan.optimisers.keys()
    assert dead(gan, 3 if "3 channels" in name else 1) == set()


def test_a_dead_parameter_would_be_found():
    gan = tiny.make_gan("unet")
    gan.segmentor.unused = nn.Parameter(torch.zeros(1))
    assert dead(gan) == {("segmentor", "unused")}


@pytest.mark.parametrize("name", ["styled", *FAMILY])
def test_stopped_and_resumed_it_ends_with_the_same_bits(name, slices, tmp_path):
    def loop(folder: str) -> Loop:
        return tiny.make_loop(GANS[name](), slices, tmp_path / folder)

    whole = loop("whole").run()
    assert tiny.stop_after(loop("parts"), 2).run().step == 2
    done = loop("parts").run(resume=True)
    assert tiny.losses_of(done.rows) == tiny.losses_of(whole.rows) and len(done.rows) == 4
    assert not tiny.differences(*(load_checkpoint(tmp_path / folder) for folder in ("parts", "whole")))


@pytest.mark.parametrize("name", FAMILY)
def test_the_generator_comes_back_from_its_weight_file(name, tmp_path):
    network = next(iter(GANS[name]().networks.values())).eval()
    if name == "progressive":
        network.grow(2.5)  # the file says how far it has grown
    save_weights(tmp_path / "w.safetensors", network, {"member": name})
    kind = MEMBERS[name].network if name in MEMBERS else "mask generator"
    loaded, about = load_weights(tmp_path / "w.safetensors", kind)
    assert about == {"member": name} and loaded.config == network.config
    given = GANS[name]().given(batch(dtype=torch.float32))
    assert torch.equal(loaded(*given), network(*given))


def test_styled_weights_keep_the_codes_moments_in_half_precision_too(slices, tmp_path):
    trained = tiny.make_loop(tiny.make_gan("styled"), slices, steps=3).run().network
    save_weights(tmp_path / "w.safetensors", trained, {}, half=True)
    loaded, _ = load_weights(tmp_path / "w.safetensors", GENERATORS)
    assert loaded.first.abs().max() > 0 and torch.allclose(loaded.second, trained.second, atol=1e-3)
    masks = torch.zeros(1, 1, 32, 32), torch.ones(1, 1, 32, 32)
    assert loaded(*masks).isfinite().all(), "a covariance that was rounded can still be drawn from"


@pytest.mark.parametrize("r1", [1.0, 0.0])
def test_both_turns_from_masks_in_closed_form_and_r1_every_eighth_step(r1):
    gan, one, turns = tiny.make_gan("paper", r1=r1), batch(), []
    for network in gan.networks.values():
        network.double().eval()  # no power iteration between two looks
    for _ in range(LAZY + 2):
        losses = gan.step(gan.networks, one, lambda name, loss: turns.append((name, loss.item())))
    asked, fake = torch.cat([one.stroke, one.foreground], 1), gan.generator(one.stroke, one.foreground)
    true_features, of_true = gan.critic(torch.cat([asked, one.image], 1))
    fake_features, of_fake = gan.critic(torch.cat([asked, fake], 1))
    near = F.l1_loss(fake, one.image) + multi_scale_l1(fake_features, true_features)
    critic, generator = critic_loss(of_true, of_fake), generator_loss(of_fake) + 10 * near
    slope = r1_penalty(lambda picture: gan.critic(torch.cat([asked, picture], 1))[1], one.image)
    expected = []
    for step in range(LAZY + 2):
        total = critic + r1 * LAZY * slope if step in (0, LAZY) else critic
        expected += [("critic", pytest.approx(total.item())), ("generator", pytest.approx(generator.item()))]
    assert turns == expected and torch.allclose(losses["critic"], critic)
    assert int(gan.critic.turns) == LAZY + 2


@pytest.mark.parametrize("name", FAMILY)
def test_both_turns_of_the_family_in_closed_form(name):
    gan, one, totals = GANS[name](), batch(), {}
    for network in gan.networks.values():
        network.double().eval()
    masks = torch.cat([one.stroke, one.foreground], 1)
    truth = {"masks": soften(masks), "progressive": as_grown(one.image, 0, 1.0)}.get(name, one.image)
    torch.manual_seed(1)
    fake = gan.generator(*gan.given(one)).detach()
    of_true, of_fake = (gan.judge(gan.discriminator, picture, one) for picture in (truth, fake))
    hinge = name in ("sagan", "pix2pixhd", "masks")
    generator = torch.stack([(-head if hinge else -F.logsigmoid(head)).mean() for head in of_fake]).mean()
    critic, more = critic_loss(of_true, of_fake, "hinge" if hinge else "logistic"), {"spread": fake.std()}
    if name == "masks":
        more = {"spread": fake[:, 0].std()}
    elif name == "pix2pix":
        generator = generator + 100 * F.l1_loss(fake, one.image)
    elif name == "pix2pixhd":
        scales = zip(gan.discriminator(masks, fake), gan.discriminator(masks, one.image), strict=True)
        generator = generator + 5 * sum(multi_scale_l1(a, b) for (a, _), (b, _) in scales)  # a mean of two
    else:
        assert len(of_true[0]) == of_true[0].numel() == 2, "one logit a slice"
    slope = r1_penalty(lambda x: gan.judge(gan.discriminator, x, one), truth) if gan.r1 else 0.0
    torch.manual_seed(1)
    losses = gan.step(gan.networks, one, lambda player, loss: totals.update({player: loss.detach()}))
    for term, value in {"critic": critic, "generator": generator, **more}.items():
        assert torch.allclose(losses[term], value), term
    assert torch.allclose(totals["critic"], critic + gan.r1 * slope)
    assert torch.allclose(totals["generator"], generator)


def test_r1_on_a_part_of_a_batch_that_asks_for_something():
    gan = MEMBERS["pix2pix"].make(4, 1)
    gan.r1 = 1.0
    eight = Batch(
        *(values.repeat(4, *[1] * (values.ndim - 1)) for values in vars(batch(dtype=torch.float32)).values())
    )
    assert gan.step(gan.networks, eight, lambda *_: None)["slope"] > 0


def backward(players: str | tuple[str, ...]) -> Update:
    """Gradients of that turn alone."""
    return lambda name, loss: loss.backward() if name == players else None


def test_r1_reaches_the_attention_where_it_would_be_fused(monkeypatch):
    """The fused attention has no second derivative; the penalty asks for the plain one."""
    monkeypatch.setattr(attention, "SMALL", 0)  # as on pictures larger than a slice
    gradients = []
    for r1 in (0.0, 1.0):
        gan = tiny.make_gan("paper", r1=r1)
        nn.init.constant_(gan.critic.attention.gamma, 0.5)
        gan.step(gan.networks, batch(dtype=torch.float32), backward("critic"))
        gradients.append(gan.critic.attention.query.parametrizations.weight.original.grad)
    assert gradients[0].any() and not torch.allclose(*gradients, rtol=1e-3, atol=0)


def test_a_drawn_code_is_asked_for_in_what_was_painted_with_it():
    gradients = []
    for weight in (0.0, 100.0):
        gan, codes = tiny.make_gan("styled", style=5, latent=weight), []
        gan.generator.update_moments = codes.append
        losses = gan.step(gan.networks, batch(dtype=torch.float32), backward(("generator", "style")))
        assert losses["latent"] > 0 and losses["kl"] > 0
        assert [c.shape for c in codes] == [(1, 5)], "the codes of half the batch are its slices' own"
        players = gan.generator, gan.encoder
        gradients.append([torch.cat([p.grad.flatten() for p in n.parameters()]) for n in players])
    (generator, encoder), (asked, frozen) = gradients
    assert not torch.allclose(generator, asked), "the generator must show the code"
    assert torch.allclose(encoder, frozen, atol=1e-6), "the encoder must not learn from it"


def test_progressive_players_grow_together_and_are_grown_before_the_end(slices):
    gan = tiny.make_gan("progressive", steps=10)
    phases = [row["phase"] for row in tiny.make_loop(gan, slices, steps=10).run().rows]
    assert phases == sorted(phases) and phases[0] == pytest.approx(PHASES / 6) and phases[5:] == [PHASES] * 5
    assert len({float(network.phase) for network in gan.networks.values()}) == 1
