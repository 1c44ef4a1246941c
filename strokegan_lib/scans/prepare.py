"""From a public data set on disk to a SliceSet: one way for all data sets.

Cases are read, windowed and resampled one by one, on several threads if asked for, and
written in the order of their names, so the result does not depend on the threads.
Taught in notebook 09.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path

import numpy as np

from strokegan_lib.data.resample import SIZE, pixel_size, resample_image, resample_mask
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput
from strokegan_lib.scans.cases import Case, CaseFiles, Dropped, Source

WRITTEN = ("images", "stroke", "foreground", "patient", "case", "plane", "z", "spacing")  # of a Case


def resample_case(case: Case) -> Case:
    """Bring a case to 128 x 128 bytes."""
    pixel = case.spacing[:2]
    foreground = resample_mask(case.foreground, pixel)  # (P, 128, 128)
    stroke = resample_mask(case.stroke, pixel)  # (P, 128, 128), inside foreground as it was before
    images = np.empty((len(stroke), len(case.windows), SIZE, SIZE), np.uint8)
    for channel, window in enumerate(case.windows):
        image = resample_image(case.images[:, channel], case.foreground, pixel)  # (P, 128, 128)
        images[:, channel] = window.to_bytes(image, foreground)
    side = pixel_size(case.stroke.shape[1:], pixel)
    spacing = (side, side, case.spacing[2])
    return replace(case, images=images, stroke=stroke, foreground=foreground, spacing=spacing)


def prepare(
    source: Source,
    folder: Path,
    out: Path,
    *,
    modalities: Sequence[str] | None = None,
    skip_bad: bool = False,
    workers: int = 1,
    limit: int | None = None,
    download: bool = False,
    mirror: str | None = None,
    made_by: str,
    **option: str,
) -> dict:
    """Make a SliceSet from a data set and return its card; print the terms before, and the outcome after.

    BadInput if the folder, *out* or, without *skip_bad*, a case is unusable.

    Args:
        folder: where the data set lies, or is brought to from its public place or a *mirror* if *download*.
        modalities: channels, in this order; all that the data set has if None.
        skip_bad: report a bad case on stderr and go on without it.
        limit: only the first cases, so many.
        made_by: the command, for the card.
        option: the data set's own option, by its name.
    """
    from tqdm import tqdm

    terms = [source.title, f"Licence: {source.licence}", f"Please cite: {source.citation}"]
    print(*terms, *(f"Limit: {text}" for text in source.limits), sep="\n", flush=True)
    modalities = tuple(modalities or source.channels)

    def attempt(files: CaseFiles) -> tuple[Case, Case] | BadInput | Dropped:
        try:
            case = source.load(files, modalities, **option)
            return case, resample_case(case)
        except (BadInput, Dropped) as outcome:
            return outcome

    if download:
        source.download(folder, mirror)
    found, bad = source.find(folder)
    if limit is not None:
        found, bad = found[:limit], bad[: max(0, limit - len(found))]
    sums, dropped, file_notes, skipped = Counter(), Counter(), Counter(), []
    windows: dict[str, list[dict]] = {}  # of each case that is kept
    about = About(
        source.name, source.title, source.licence, source.citation, modalities, made_by, limits=source.limits
    )
    progress = {"desc": source.name, "unit": " cases", "file": sys.stdout, "disable": None}
    with SliceSetWriter(out, about) as writer, closing(in_order(attempt, found, workers)) as outcomes:
        for outcome in tqdm(chain(bad, outcomes), total=len(bad) + len(found), **progress):
            if isinstance(outcome, BadInput):
                if not skip_bad:
                    raise outcome
                skipped.append(str(outcome))
                tqdm.write(f"skipped: {outcome}", file=sys.stderr)
            elif isinstance(outcome, Dropped):
                dropped[str(outcome)] += 1
            else:
                case, resampled = outcome
                sums.update(_sums(case, resampled))
                file_notes.update(case.notes)
                windows[case.case] = [asdict(window) for window in case.windows]
                given = {name: getattr(resampled, name) for name in WRITTEN}
                writer.add(**given, source=source.name)
        if not windows:
            why = "".join(f", {n:,} dropped ({reason})" for reason, n in dropped.items())
            what = f"holds no case of {source.name} that can be kept{why}"
            raise BadInput(folder, what, "unpack its archives; --help says how to get the data")
        writer.card = {name: round(value, 3) for name, value in sums.items()} | {
            "cases_dropped": dict(dropped),
            "cases_skipped_as_bad": skipped,
            "file_notes": dict(file_notes),
            "foreground_rule": source.foreground_rule,
        }
        told = list(writer.card)
        if all(other == windows[case.case] for other in windows.values()):
            writer.about = replace(about, windows=tuple(windows[case.case]))
        else:
            writer.card["windows_by_case"] = windows
    card = SliceSet.open(out, verify=False).card
    print(out)
    for name, value in (card["counts"] | {name: card[name] for name in told}).items():
        print(f"  {name.replace('_', ' ')}: {len(value) if isinstance(value, list) else value}", flush=True)
    return card


def _sums(case: Case, resampled: Case) -> dict[str, float]:
    """What a case adds to the numbers of the card."""
    lost = case.stroke.any((1, 2)) & ~resampled.stroke.any((1, 2))
    return {
        "cases_kept": 1,
        "cases_without_stroke": int(not case.stroke.any()),
        "lesion_ml_before_resampling": case.lesion_ml,
        "lesion_ml_after_resampling": resampled.lesion_ml,
        "planes_whose_lesion_was_lost_by_resampling": int(lost.sum()),
        "lesion_ml_clipped_outside_foreground": case.lost_ml,
        "cases_clipped": int(case.lost_ml > 0),
    }
