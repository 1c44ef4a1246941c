"""The slices a notebook works on: a prepared data set, or the default phantom, made once for each profile."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from strokegan_lib.data.slices import FORMAT_VERSION, SliceSet
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.files import FOR_ALL
from strokegan_lib.profiles import Profile

REMEDY = "free some space, or set STROKEGAN_CACHE to another folder"


def folder_of(variable: str) -> Path:
    """The folder that an environment variable names, or else the kit's own in the reader's home."""
    return Path(os.environ.get(variable) or "~/.cache/strokegan").expanduser()


def prepared(data: str | os.PathLike | None, profile: Profile, *, seed: int = 0) -> SliceSet:
    """Open the data set that the reader named, or else the profile's phantom.

    Phantoms are kept in ``STROKEGAN_CACHE``, or in ``~/.cache/strokegan`` where that is not set. Several
    processes may ask at once: one makes the phantom, the others wait for it. BadInput where *data* is no
    sound SliceSet, or the cache cannot be written.

    Args:
        data: folder of a SliceSet; None or '' for the phantom.
        profile: decides the size of the phantom.
        seed: of the phantom; with another one come other patients, whom no shipped network has seen.
    """
    if data:
        return SliceSet.open(data)
    from strokegan_lib.phantom.dataset import PHANTOM_VERSION, make_phantom_set

    size = {"patients": profile.patients, "slices_per_patient": profile.slices_per_patient}
    kind = f"{profile.patients}x{profile.slices_per_patient}-seed{seed}-v{PHANTOM_VERSION}"
    name = f"phantom-flair-{kind}-format{FORMAT_VERSION}"
    folder = folder_of("STROKEGAN_CACHE") / name
    with suppress(BadInput):  # read without a lock: it may belong to another account
        return SliceSet.open(folder)
    try:
        with writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f".{name}.lock"), mode=FOR_ALL):
                with suppress(BadInput):
                    return SliceSet.open(folder)  # made while this process waited
                if folder.exists():  # changed on disk since it was made
                    shutil.rmtree(folder)
                return make_phantom_set(folder, **size, seed=seed, workers=os.cpu_count() or 1)
    except BadInput as error:
        raise BadInput(error.where, error.what, REMEDY) from error


def one_channel(data: str | os.PathLike | None, instead: str = "the phantom") -> str | os.PathLike:
    """The reader's data set; '' where there is none, or one of several channels: that prints a sentence.

    The networks that come with the kit read one channel. *instead* is what the notebook goes on with.
    BadInput where *data* is no SliceSet.
    """
    if data and len(channels := SliceSet.open(data, verify=False).channels) > 1:
        print(
            f"{data} has {len(channels)} channels ({', '.join(channels)}) and the networks that come with the kit "
            f"read one: {instead} is used instead."
        )
        return ""
    return data or ""
