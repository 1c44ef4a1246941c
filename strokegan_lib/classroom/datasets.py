"""The slices a notebook works on: a prepared data set, or the default phantom.

The phantom is made once for each profile and kept in a cache folder:
``STROKEGAN_CACHE`` where that is set, ``~/.cache/strokegan`` otherwise.
"""

from __future__ import annotations

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


def named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, or None; ``~`` is the reader's home."""
    return Path(os.path.expanduser(os.environ[variable])) if os.environ.get(variable) else None


def home_folder(variable: str) -> Path:
    """The kit's folder in the reader's home; *variable* is the environment variable that names another.

    Raises:
        BadInput: the account has no home.
    """
    try:
        return Path.home() / ".cache" / "strokegan"
    except RuntimeError:  # no HOME, and no name for this account: containers, batch jobs
        remedy = f"set {variable} to a folder that may be written"
        raise BadInput("the home folder", "is not known here", remedy) from None


def cache_folder() -> Path:
    """Where phantoms are kept between runs."""
    return named_folder("STROKEGAN_CACHE") or home_folder("STROKEGAN_CACHE")


def prepared(
    data: str | os.PathLike | None, profile: Profile, *, seed: int = 0, workers: int = 1
) -> SliceSet:
    """Open the data set that the reader named, or else the profile's phantom.

    Several processes may ask at once: one makes the phantom, the others wait for it.

    Args:
        data: folder of a SliceSet; None or '' for the phantom.
        profile: decides the size of the phantom.
        seed: of the phantom; with another one come other patients, whom no shipped network has seen.
        workers: threads that make the phantom when it is not there yet.

    Raises:
        BadInput: *data* is no sound SliceSet, or the cache cannot be written.
    """
    if data:
        return SliceSet.open(data)
    from strokegan_lib.phantom.dataset import PHANTOM_VERSION, make_phantom_set

    size = {"patients": profile.patients, "slices_per_patient": profile.slices_per_patient}
    name = "x".join(map(str, size.values()))
    folder = cache_folder() / f"phantom-flair-{name}-seed{seed}-v{PHANTOM_VERSION}-format{FORMAT_VERSION}"
    # a finished one is read without a lock: it may belong to another account, or to a teacher alone
    with suppress(BadInput):
        return SliceSet.open(folder)
    try:
        with writing(folder.parent):
            folder.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder.with_name(f".{folder.name}.lock"), mode=FOR_ALL).acquire()
        with lock:
            with suppress(BadInput):
                return SliceSet.open(folder)  # made while this process waited
            if folder.exists():  # changed on disk since it was made: it costs little to make again
                with writing(folder):
                    shutil.rmtree(folder)
            return make_phantom_set(folder, **size, seed=seed, workers=workers)
    except BadInput as error:
        raise BadInput(error.where, error.what, REMEDY) from error


def one_channel(data: str | os.PathLike | None, instead: str = "the phantom") -> str | os.PathLike:
    """The reader's own data set, unless the networks that come with the kit cannot read it: they know one channel.

    Args:
        data: folder of a SliceSet; None or '' for none.
        instead: what the notebook goes on with, for the sentence that says so.

    Returns:
        *data*; or '', and one sentence is printed, where its slices have several channels.

    Raises:
        BadInput: *data* is no SliceSet.
    """
    if data and len(channels := SliceSet.open(data, verify=False).channels) > 1:
        print(
            f"{data} has {len(channels)} channels ({', '.join(channels)}) and the networks that come with the kit "
            f"read one: {instead} is used instead."
        )
        return ""
    return data or ""
