"""Weight files: safetensors that say which network they belong to and how they were made."""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from strokegan_lib.errors import BadInput, Diverged
from strokegan_lib.files import sha256, write_whole
from strokegan_lib.models.encoder import Encoder
from strokegan_lib.models.family.dcgan import DCGAN
from strokegan_lib.models.family.dual import MaskGenerator
from strokegan_lib.models.family.pix2pix import Pix2Pix
from strokegan_lib.models.family.pix2pixhd import Pix2PixHD
from strokegan_lib.models.family.progressive import ProgressiveGenerator
from strokegan_lib.models.family.sagan import SAGAN
from strokegan_lib.models.segmentation import Segmentor
from strokegan_lib.models.styled import StyledGenerator
from strokegan_lib.models.synthesis import Generator

NETWORKS = {
    "segmentor": Segmentor, "generator": Generator, "styled generator": StyledGenerator, "encoder": Encoder,
    "mask generator": MaskGenerator, "dcgan": DCGAN, "progressive": ProgressiveGenerator, "sagan": SAGAN,
    "pix2pix": Pix2Pix, "pix2pixhd": Pix2PixHD,
}  # fmt: skip
GENERATORS = ("generator", "styled generator", "pix2pix", "pix2pixhd")  # they paint from two masks
KEY = "strokegan"  # of the kit's own entry in a file's metadata
SHIPPED = Path(__file__).parents[1] / "weights"
# of its encoder: figures by another one cannot be compared
ENCODER_SHA256 = "95289912cfc104e0d94e51c9d6de97c0061093ecdbeb82a46259d7c8c6955720"


def save_weights(
    path: str | os.PathLike, network: nn.Module, about: dict[str, Any], *, half: bool = False
) -> None:
    """Write a network, whole or not at all (BadInput).

    Args:
        path: a file ending in ``.safetensors``.
        network: of a class in NETWORKS.
        about: how it was made (data, steps, seed, threshold, ...), whatever JSON can hold.
        half: round to float16: half the bytes, three digits; once loaded, networks compute in float32 again.
    """
    card = json.dumps({"network": kind_of(network), "config": network.config, "about": about}, sort_keys=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if half:
        tensors = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    write_whole(Path(path), save(tensors, metadata={KEY: card}))


def kind_of(network: nn.Module) -> str:
    """The name of a network's class in NETWORKS."""
    return next(name for name, made in NETWORKS.items() if type(network) is made)


def load_weights(path: str | os.PathLike, kind: str | tuple[str, ...]) -> tuple[nn.Module, dict[str, Any]]:
    """The network that a file holds, on the CPU and in eval mode, and what the file says of how it was made.

    *kind* is a name in NETWORKS, or several, such as GENERATORS. BadInput where there is no such file, where
    ``save_weights`` did not write it, where its network is of another kind, or training diverged.
    """
    try:
        raw = Path(path).read_bytes()  # not by name: safetensors knows only names that are UTF-8
        tensors = load(raw)
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        card = json.loads(header["__metadata__"][KEY])
        found, config, about = card["network"], card["config"], card["about"]
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        what = "is not a weight file of this kit" if Path(path).is_file() else "is not there"
        raise BadInput(path, what, "name the weights.safetensors that a training run wrote") from error
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise Diverged(path, "it holds weights that are not numbers")
    if found not in (kinds := (kind,) if isinstance(kind, str) else kind):
        raise BadInput(path, f"holds a {found}, not a {kinds[0]}", f"name the weights of a {kinds[0]}")
    try:
        for gone in ("dropout", "norm"):  # older files name them: 0 and true in all
            config.pop(gone, None)
        network = NETWORKS[found](**config)
        network.load_state_dict(tensors)
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadInput(path, "does not fit this version of the network", "train it again") from error
    return network.eval().requires_grad_(False), about


def shipped(name: str) -> Path:
    """The weight file that comes with the kit as 'masked-phantom', for example; BadInput where there is none."""
    path = SHIPPED / f"{name}.safetensors"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.safetensors"))) or "none"
        raise BadInput(f"weights {name}", "do not come with the kit", f"choose one of: {names}")
    return path


def shipped_encoder() -> Encoder:
    """The shipped encoder, by whose features realism is measured, on the CPU and in eval mode.

    BadInput where its file is missing, or is another one than this version of the kit was made with.
    """
    path = shipped("encoder")
    if sha256(path) != ENCODER_SHA256:
        raise BadInput(path, "is not this version's encoder (its sha256 differs)", "install the kit again")
    return load_weights(path, "encoder")[0]
