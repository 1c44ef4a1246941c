"""Weight files: what goes in comes out, and nothing else is taken for one; networks from noise are in test_gans.py."""

import json
import os

import pytest
import tiny
import torch
from safetensors.torch import save_file

from strokegan_lib.errors import BadInput
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.models.synthesis import Generator
from strokegan_lib.training import weights
from strokegan_lib.training.weights import load_weights, save_weights, shipped

ABOUT = {"threshold": 0.07, "data": "phantom", "settings": {"seed": 0, "steps": 12}}


def segmentor(**config) -> Segmentor:
    torch.manual_seed(0)
    network = Segmentor(**{"width": 4, **config})
    network(torch.rand(2, network.config["channels"], 32, 32))  # moves the batch statistics
    torch.nn.init.constant_(network.unet.attention.gamma, 0.5) if network.config["attention"] else None
    return network.eval()


@pytest.mark.parametrize("config", [{}, {"channels": 3}, {"output": "probability", "attention": False}])
def test_a_segmentor_comes_back_the_same(tmp_path, config):
    network = segmentor(**config)
    file = tmp_path / (os.fsdecode(b"M\xfcnchen.safetensors") if os.name == "posix" else "w.safetensors")
    save_weights(file, Generator(width=4), {})  # an earlier file, whose place is taken
    save_weights(file, network.to(memory_format=torch.channels_last), ABOUT)
    loaded, about = load_weights(file, ("generator", "segmentor"))
    image = torch.rand(2, network.config["channels"], 32, 48)
    assert torch.allclose(loaded(image), network(image), atol=1e-6)
    assert not tiny.differences(loaded.state_dict(), network.state_dict())
    assert about == ABOUT and loaded.config == network.config and list(tmp_path.iterdir()) == [file]
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())


def test_half_the_bytes_and_nearly_the_same_network(tmp_path):
    network, image = segmentor(), torch.rand(2, 1, 32, 32)
    save_weights(tmp_path / "whole", network, {})
    save_weights(tmp_path / "half", network, {}, half=True)
    assert (tmp_path / "half").stat().st_size < 0.7 * (tmp_path / "whole").stat().st_size
    halved, _ = load_weights(tmp_path / "half", "segmentor")
    assert all(p.dtype == torch.float32 for p in halved.parameters())
    assert 0 < (halved(image) - network(image)).abs().max() < 0.01


def with_card(without: int = 0, card: str = "", **changes):
    """What writes a file whole but for *without* tensors and changes of its card."""

    def write(file) -> None:
        tensors = {name: t.contiguous() for name, t in [*segmentor().state_dict().items()][without:]}
        whole = {"network": "segmentor", "config": segmentor().config, "about": {}, **changes}
        save_file(tensors, file, {weights.KEY: card or json.dumps(whole)})

    return write


def cut(file) -> None:
    save_weights(file, segmentor(), ABOUT)
    file.write_bytes(file.read_bytes()[:-100])


def not_a_number(file) -> None:
    network = segmentor()
    next(network.parameters()).data.flatten()[0] = torch.nan
    save_weights(file, network, ABOUT)


FOREIGN = {
    "missing": (lambda f: None, "is not there"),
    "a folder": (lambda f: f.mkdir(), "is not there"),
    "cut short": (cut, "is not a weight file"),
    "without a card": (lambda f: save_file({"a": torch.zeros(1)}, f), "is not a weight file"),
    "a card that is no JSON": (with_card(card="{"), "is not a weight file"),
    "a card that is no table": (with_card(card="[1]"), "is not a weight file"),
    "settings that are no table": (with_card(config=[3]), "train it again"),
    "an impossible setting": (with_card(config={"width": 7}), "train it again"),
    "without a tensor": (with_card(without=1), "train it again"),
    "another network": (lambda f: save_weights(f, Generator(width=4), {}), "a generator, not a segmentor"),
    "a weight that is no number": (not_a_number, "weights that are not numbers: .*smaller --rate"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_nothing_else_is_taken_for_a_weight_file(tmp_path, case):
    make, words = FOREIGN[case]
    file = tmp_path / "weights.safetensors"
    make(file)
    with pytest.raises(BadInput, match=words) as error:
        load_weights(file, "segmentor")
    assert str(file) in str(error.value) and "\n" not in str(error.value)


def test_a_file_of_an_older_version_loads(tmp_path):
    with_card(config={**segmentor().config, "dropout": 0.0})(tmp_path / "w.safetensors")
    load_weights(tmp_path / "w.safetensors", "segmentor")


def test_weights_that_do_not_come_with_the_kit_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    save_weights(tmp_path / "encoder.safetensors", segmentor(), {})
    assert shipped("encoder") == tmp_path / "encoder.safetensors"
    with pytest.raises(BadInput, match="choose one of: encoder"):
        shipped("other")
    with pytest.raises(BadInput, match="not this version's encoder"):
        weights.shipped_encoder()
