"""How much work a notebook does: a first look on two CPU cores, a lesson on a small GPU, or an evening."""

from dataclasses import dataclass

import torch

from strokegan_lib.errors import BadInput


@dataclass(frozen=True)
class Profile:
    """One size of every number that costs time."""

    name: str
    patients: int  # of the default phantom
    slices_per_patient: int  # axial planes
    batch_size: int  # slices that a network sees at once
    width: int  # of the networks, see models.unet
    steps: int  # of training a GAN, unless a command says otherwise
    threads: int | None  # CPU threads that PyTorch may use; None leaves the choice to PyTorch

    def use_threads(self) -> int:
        """Hand PyTorch its threads and return how many it has."""
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        return torch.get_num_threads()


QUICK = Profile(
    "quick",
    patients=40,  # made in seconds, yet every split holds patients with and without stroke
    slices_per_patient=30,  # the paper's 13,200 slices over 440 patients
    batch_size=16,  # a larger batch is no faster on one core
    width=8,  # 63,000 parameters: a step takes a quarter of a second on one core at most
    steps=40,  # enough to see a segmentor find lesions, within the patience of a class
    threads=1,  # the sums of floats, and so trained numbers, change with the thread count
)
CLASS = Profile(
    "class",
    patients=200,  # enough for 40 test patients, made well within a coffee break
    slices_per_patient=30,
    batch_size=32,  # keeps a small GPU busy, fits in its memory with room to spare
    width=32,  # as in the full profile, so that what is learnt here holds there
    steps=600,  # under three minutes on a small GPU (an estimate: none was at hand)
    threads=None,  # the GPU does the work
)
FULL = Profile(
    "full",
    patients=440,  # the paper's 13,200 slices
    slices_per_patient=30,
    batch_size=32,  # as in a lesson, so that settings carry over
    width=32,  # half of SegAN's: what two CPU cores can train in an evening
    steps=4000,  # ten passes over the training slices
    threads=None,  # all cores: speed matters more than the last digit
)
PROFILES = {p.name: p for p in (QUICK, CLASS, FULL)}


def profile(name: str) -> Profile:
    """The profile of that name; BadInput where there is none."""
    if name not in PROFILES:
        raise BadInput(f"profile {name}", "is not known", f"choose one of {', '.join(PROFILES)}")
    return PROFILES[name]
