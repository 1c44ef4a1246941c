"""Weight files: what goes in comes out, and nothing else is taken for one."""

from __future__ import annotations

import json
import os

import pytest
import torch
from safetensors.torch import save_file

from strokegan_lib.errors import BadInput
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training import weights
from strokegan_lib.training.weights import load_weights, save_weights, shipped

ABOUT = {"steps": 12, "threshold": 0.07, "data": "phantom", "nested": {"seed": 0}}


def segmentor(**config) -> Segmentor:
    torch.manual_seed(0)
    network = Segmentor(**{"width": 8, **config})
    network(torch.rand(2, network.config["channels"], 32, 32))  # moves the batch statistics
    torch.nn.init.constant_(network.unet.attention.gamma, 0.5) if network.config["attention"] else None
    return network.eval()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"channels": 3},
        {"output": "probability", "attention": False},
        {"norm": False},
        {"channels": 2, "output": "probability"},
    ],
)
def test_a_segmentor_comes_back_the_same(tmp_path, config):
    network, file = segmentor(**config), tmp_path / "weights.safetensors"
    save_weights(file, network, ABOUT)
    loaded, about = load_weights(file, "segmentor")
    image = torch.rand(2, network.config["channels"], 32, 48)
    expected, found = (n.predict(n(image), image) for n in (network, loaded))
    assert torch.equal(found.masked, expected.masked) and torch.equal(found.score, expected.score)
    assert about == ABOUT and loaded.config == network.config
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_a_generator_comes_back_the_same(tmp_path):
    torch.manual_seed(0)
    network = Generator(2, width=8).to(memory_format=torch.channels_last).eval()
    masks = torch.ones(2, 1, 1, 32, 32)
    save_weights(tmp_path / "g.safetensors", network, {})
    loaded, _ = load_weights(tmp_path / "g.safetensors", "generator")
    assert torch.allclose(loaded(*masks), network(*masks), atol=1e-6)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere every name is UTF-8")
def test_a_name_that_is_no_utf8_holds_weights_like_another(tmp_path):
    file = tmp_path / os.fsdecode(b"M\xfcnchen.safetensors")
    save_weights(file, segmentor(), ABOUT)
    assert load_weights(file, "segmentor")[1] == ABOUT


def test_a_later_file_takes_the_place_of_an_earlier(tmp_path):
    file = tmp_path / "weights.safetensors"
    for steps in (1, 2):
        save_weights(file, segmentor(), {"steps": steps})
    assert load_weights(file, "segmentor")[1] == {"steps": 2}


def card(**changes) -> str:
    whole = {"network": "segmentor", "config": segmentor().config, "about": {}, **changes}
    return json.dumps({k: v for k, v in whole.items() if v is not None})


def state() -> dict[str, torch.Tensor]:
    return {name: t.contiguous() for name, t in segmentor().state_dict().items()}


FOREIGN = {
    "is missing": (None, "is not there"),
    "is a folder": (lambda f: f.mkdir(), "is not there"),
    "is empty": (lambda f: f.write_bytes(b""), "is not a weight file"),
    "is text": (lambda f: f.write_text("hello " * 1000), "is not a weight file"),
    "is a checkpoint of PyTorch": (lambda f: torch.save(state(), f), "is not a weight file"),
    "is cut short": (lambda f: cut(f), "is not a weight file"),
    "has no card": (lambda f: save_file(state(), f), "is not a weight file"),
    "is of another program": (lambda f: save_file(state(), f, {"format": "pt"}), "is not a weight file"),
    "has a card that is no JSON": (lambda f: save_file(state(), f, {weights.KEY: "{"}), "is not a weight file"),
    "has a card that is no table": (lambda f: save_file(state(), f, {weights.KEY: "[1]"}), "is not a weight file"),
    "lacks its settings": (
        lambda f: save_file(state(), f, {weights.KEY: card(config=None)}), "is not a weight file",
    ),
    "has settings that are no table": (lambda f: save_file(state(), f, {weights.KEY: card(config=[3])}), "train it again"),
    "has other settings": (
        lambda f: save_file(state(), f, {weights.KEY: card(config={"width": 16})}), "train it again",
    ),
    "has a setting of the future": (
        lambda f: save_file(state(), f, {weights.KEY: card(config={"depth": 3})}), "train it again",
    ),
    "has an impossible setting": (
        lambda f: save_file(state(), f, {weights.KEY: card(config={"width": 7})}), "train it again",
    ),
    "lacks a tensor": (
        lambda f: save_file(dict(list(state().items())[1:]), f, {weights.KEY: card()}), "train it again",
    ),
    "is of another network": (lambda f: save_weights(f, Generator(width=8), {}), "holds a generator, not a segmentor"),
}  # fmt: skip


def spoilt(file) -> None:
    network = segmentor()
    next(network.parameters()).data.flatten()[0] = torch.nan
    save_weights(file, network, ABOUT)


FOREIGN["holds a weight that is no number"] = spoilt, "weights that are not numbers: .*smaller --rate"


def cut(file) -> None:
    save_weights(file, segmentor(), ABOUT)
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize("case", FOREIGN)
def test_nothing_else_is_taken_for_a_weight_file(tmp_path, case):
    make, words = FOREIGN[case]
    file = tmp_path / "weights.safetensors"
    if make:
        make(file)
    with pytest.raises(BadInput, match=words) as error:
        load_weights(file, "segmentor")
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_the_cases_above_fail_for_their_own_reason(tmp_path):
    save_file(state(), tmp_path / "w.safetensors", {weights.KEY: card()})
    load_weights(tmp_path / "w.safetensors", "segmentor")


def test_a_folder_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="cannot be written"):
        save_weights(tmp_path / "nowhere" / "w.safetensors", segmentor(), {})


def test_weights_that_do_not_come_with_the_kit_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    with pytest.raises(BadInput, match="choose one of: none"):
        shipped("masked-phantom")
    save_weights(tmp_path / "masked-phantom.safetensors", segmentor(), {})
    assert shipped("masked-phantom") == tmp_path / "masked-phantom.safetensors"
    with pytest.raises(BadInput, match="choose one of: masked-phantom"):
        shipped("other")


def test_half_the_bytes_and_nearly_the_same_network(tmp_path):
    torch.manual_seed(0)
    network = Segmentor(1, width=8).eval()
    save_weights(tmp_path / "whole.safetensors", network, {})
    save_weights(tmp_path / "half.safetensors", network, {}, half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    halved, _ = load_weights(tmp_path / "half.safetensors", "segmentor")
    image = torch.rand(2, 1, 32, 32)
    assert all(p.dtype == torch.float32 for p in halved.parameters())
    with torch.no_grad():
        assert not torch.equal(halved(image), network(image))
        assert torch.allclose(halved(image), network(image), atol=0.01)
