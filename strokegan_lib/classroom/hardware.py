"""Is this machine ready? What it is, and how fast it is at the kit's main work."""

import platform
import sys
import timeit

import torch
from torch.nn import functional as F

import strokegan_lib


def best_device() -> torch.device:
    """The accelerator PyTorch finds, or else the CPU."""
    if torch.accelerator.is_available():
        return torch.accelerator.current_accelerator()
    return torch.device("cpu")


def convolution_seconds(device: torch.device, dtype: torch.dtype) -> float:
    """Time of one convolution, forward and backward, the best of three after one that warms up."""
    images = torch.randn(8, 32, 64, 64, device=device)  # (B, C, H, W)
    weight = torch.randn(32, 32, 3, 3, device=device, requires_grad=True)

    def once() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            F.conv2d(images, weight, padding=1).float().mean().backward()
        weight.grad.sum().item()  # waits for an accelerator to finish

    return min(timeit.repeat(once, number=1, repeat=4)[1:])


def machine() -> dict[str, str]:
    """What the reader needs to know of this machine, in the order to print it."""
    device = best_device()
    full = convolution_seconds(device, torch.float32)
    half = convolution_seconds(device, torch.bfloat16)
    rows = {"strokegan_lib": strokegan_lib.__version__, "Python": platform.python_version()}
    rows |= {"PyTorch": torch.__version__, "device": str(device)}
    if device.type == "cuda":
        rows["GPU"] = torch.cuda.get_device_name()
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        rows["bfloat16 in hardware"] = "yes" if native else "no: float16 is used instead"
    rows["CPU threads"] = str(torch.get_num_threads())
    rows["convolution, float32"] = f"{1000 * full:.1f} ms"
    ratio = f"{full / half:.1f} times as fast" if half < full else f"{half / full:.1f} times as slow"
    rows["convolution, bfloat16"] = f"{1000 * half:.1f} ms ({ratio})"
    return rows


def advice(profile: str) -> str:
    """Whether the profile suits this machine, and where Colab lends a GPU; a sentence a line."""
    if best_device().type != "cpu":
        found = "A GPU was found, and the notebooks use it by themselves."
        more = '\nSet PROFILE = "class" in the cell near the top, and run again from there.'
        return found + (more if profile == "quick" else "")
    slow = "" if profile == "quick" else f'PROFILE = "{profile}" will train for long. '
    lines = [f'No GPU was found. {slow}PROFILE = "quick" is right here.']
    if "google.colab" in sys.modules:
        lines += [
            'For a GPU: menu Runtime, entry "Change runtime type", choose "T4 GPU", then Save.',
            'The session starts anew: set PROFILE = "class" and run the notebook from its first cell.',
            'If Colab has no GPU to lend, stay with PROFILE = "quick": every exercise can be done in it.',
        ]
    return "\n".join(lines)
