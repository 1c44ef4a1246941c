"""The loop: the same seed gives the same run, and every setting does what it says."""

import math
import signal
from itertools import pairwise

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st

from strokegan_lib.errors import BadInput
from strokegan_lib.models.gan import OptimiserConfig
from strokegan_lib.training.checkpoint import checkpoints, load_checkpoint
from strokegan_lib.training.log import read_rows
from strokegan_lib.training.segmentation import CLIP
from strokegan_lib.training.settings import Settings


@given(
    steps=st.integers(1, 3000),
    rate=st.sampled_from([1.0, 0.3]),
    warm_up=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
)
def test_the_rate_climbs_then_falls_to_near_0(steps, rate, warm_up):
    settings = Settings(steps, rate=rate, warm_up=warm_up)
    rates = [settings.rate_at(step) for step in range(steps)]
    top = rates.index(max(rates))
    assert min(rates) > 0 and max(rates) <= rate
    assert all(a < b for a, b in pairwise(rates[: top + 1]))
    assert all(a > b for a, b in pairwise(rates[top:]))
    assert top <= max(1, math.ceil(warm_up * steps))
    if steps >= 100 and warm_up <= 0.5:
        assert max(rates) == pytest.approx(rate, rel=0.05) and rates[-1] < 0.002 * rate


def test_the_rate_in_closed_form():
    settings = Settings(100, warm_up=0.04)
    rates = [settings.rate_at(step) for step in (0, 1, 2, 3, 4, 52, 99)]
    half_cosine = (1 + math.cos(math.pi * 95 / 96)) / 2
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 0.5, half_cosine])


def test_the_seed_decides_the_run_to_the_last_bit(slices):
    """Of the styled generator, as the loop's seed decides its codes and its noise."""
    runs = [tiny.make_loop("styled", slices, steps=2, seed=seed) for seed in (0, 0, 1)]
    for random_state, loop in enumerate(runs):
        torch.manual_seed(random_state)
        loop.run()
    first, second, other = map(tiny.state_of, runs)
    assert not tiny.differences(first, second) and tiny.differences(first, other)


def test_what_training_leaves(slices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loop = tiny.make_loop("masked", slices, steps=3)
    done = loop.run()
    assert done.step == 3 and [row["step"] for row in done.rows] == [0, 1, 2]
    losses = {"critic", "multi_scale", "soft_dice", "segmentor", "spread"}
    assert set(done.rows[0]) == {"step", "seconds", *losses}
    assert done.network is loop.average.network and not done.network.training
    assert tiny.differences(done.network.state_dict(), loop.gan.segmentor.state_dict())  # an average
    weight = next(p for p in loop.gan.segmentor.parameters() if p.dim() == 4)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not list(tmp_path.iterdir()), "without a folder nothing is written"


def test_every_network_learns_at_its_own_rate(slices):
    loop = tiny.make_loop("toy", slices, steps=4, rate=0.5)
    loop.run()
    factor = loop.settings.rate_at(3)
    assert 0 < factor < 0.5
    for name, how in loop.gan.optimisers.items():
        (group,) = loop.optimisers[name].param_groups
        assert group["lr"] == pytest.approx(how.learning_rate * factor) and group["betas"] == how.betas


@pytest.mark.parametrize(
    ("steps", "count", "due"),
    [
        (10, 0, []), (10, 1, [10]), (10, 3, [3, 7, 10]), (10, 20, list(range(1, 11))),
        (4000, 5, list(range(500, 4001, 500))),  # a long run, every 500 steps
    ],
)  # fmt: skip
def test_validation_is_evenly_spaced_and_ends_the_run(slices, steps, count, due):
    loop = tiny.make_loop("toy", slices, steps=steps, validations=count, validate=lambda _: {})
    assert sorted(loop.validated_after) == due


def test_the_best_network_on_validation_is_kept_over_a_pause_too(slices, tmp_path):
    scores, states, parts = {2: 0.3, 4: 0.7, 6: 0.5, 8: 0.6}, {}, tmp_path / "parts"

    def made(folder):
        def validate(network):
            assert network is loop.average.network and not network.training
            states[loop.step] = {k: v.clone() for k, v in network.state_dict().items()}
            return {"validation score": scores[loop.step]}

        loop = tiny.make_loop("toy", slices, folder, steps=8, validations=4, validate=validate)
        return loop

    assert not tiny.stop_after(made(parts), 6).run().kept
    (parts / "metrics.csv").unlink()  # the record may be lost, the network is not
    for done in (made(parts).run(resume=True), made(tmp_path / "whole").run()):
        assert done.kept == {"step": 4, "validation score": 0.7}
        assert not tiny.differences(done.network.state_dict(), states[4])
    assert [row["validation score"] for row in done.rows[1::2]] == [0.3, 0.7, 0.5, 0.6]


class Diverging(tiny.Toy):
    """Its loss is not a number from its fourth step on."""

    made = 0

    def step(self, networks, batch, update):
        losses = super().step(networks, batch, update)
        self.made += 1
        return {**losses, "painter": losses["painter"] * (math.nan if self.made > 3 else 1)}


def test_a_run_that_diverges_ends_with_advice_and_a_sound_checkpoint(slices, tmp_path):
    gan = Diverging()

    def validate(_):
        assert gan.made <= 3, "what is not a number is not scored"
        return {"validation score": 0.0}

    loop = tiny.make_loop(gan, slices, tmp_path, steps=20, validations=20, validate=validate)
    with pytest.raises(BadInput, match=r"step 3: the loss 'painter' is nan.*--rate"):
        loop.run()
    assert checkpoints(tmp_path)[0].name.startswith("step-0000003-")


def test_a_collapse_is_reported(slices, capsys):
    loop = tiny.make_loop("toy", slices, steps=55)
    torch.nn.init.zeros_(loop.gan.networks["painter"][2].weight)  # one flat grey,
    loop.gan.optimisers["painter"] = OptimiserConfig(1e-9)  # and so it stays
    loop.run()
    out = capsys.readouterr().out
    assert out.count("warning, step 49") == 1 == out.count("warning") and "flat grey" in out


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step_with_a_checkpoint(slices, tmp_path, sent):
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    loop = tiny.make_loop("toy", slices, tmp_path, steps=20, checkpoint_seconds=1000)
    done = tiny.stop_after(loop, 4, sent).run()
    assert done.step == 4 == len(done.rows) == len(read_rows(tmp_path / "metrics.csv"))
    state = load_checkpoint(tmp_path)
    assert state["step"] == 4 and len(checkpoints(tmp_path)) == 1
    assert not tiny.differences(state["networks"]["critic"], loop.gan.networks["critic"].state_dict())
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_second_ctrl_c_ends_it_at_once(slices):
    def validate(network):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        tiny.make_loop("toy", slices, validate=validate).run()


def test_without_spectral_norm_the_critic_is_clipped(slices):
    largest = {}
    for name in ("segan-released", "segan"):
        loop = tiny.make_loop(name, slices, steps=3)
        loop.run()
        largest[name] = max(float(p.detach().abs().max()) for p in loop.gan.critic.parameters())
    assert largest["segan-released"] == pytest.approx(CLIP) and CLIP == 0.05 < largest["segan"]


@pytest.mark.parametrize("task", ["masked", "paper"])
def test_the_players_do_not_teach_each_other(slices, task):
    """The critic's turn leaves no gradient in the painter, and the painter's none in the critic."""
    gan, turns = tiny.make_gan(task), []

    def update(name, loss):
        for network in gan.networks.values():
            network.zero_grad()
        loss.backward()
        taught = {k for k, n in gan.networks.items() for p in n.parameters() if p.grad is not None}
        turns.append((name, taught))

    gan.step(gan.networks, tiny.make_loop(gan, slices).batches.batch(0), update)
    kept = next(iter(gan.networks))
    assert turns == [("critic", {"critic"}), (kept, {kept})]
