"""From a public data set on disk to a SliceSet: one way for all data sets.

Cases are read, windowed and resampled one by one, on several threads if asked for, and
written in the order of their names, so the result does not depend on the threads.
Taught in notebook 09.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from strokegan_lib.data.resample import SIZE, pixel_size, resample_image, resample_mask
from strokegan_lib.data.slices import SliceSet
from strokegan_lib.data.threads import in_order
from strokegan_lib.data.writer import About, SliceSetWriter
from strokegan_lib.errors import BadInput, writing
from strokegan_lib.scans.cases import Case, CaseFiles, Dropped, Source
from strokegan_lib.scans.sources import nothing_found


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


def counted(case: Case, resampled: Case) -> dict[str, float]:
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


def prepare(
    source: Source,
    folder: Path,
    out: Path,
    *,
    modalities: tuple[str, ...] | None = None,
    skip_bad: bool = False,
    workers: int = 1,
    limit: int | None = None,
    fetch: Callable[[], None] | None = None,
    made_by: str,
) -> dict:
    """Make a SliceSet from a data set; say what it is before, and what became of it after.

    Args:
        folder: where the data set lies; it is only read.
        out: the SliceSet to make.
        modalities: channels, in this order; all that the data set has if None.
        skip_bad: report a bad case on stderr and go on without it.
        workers: threads.
        limit: only so many cases, the first ones.
        fetch: brings the data set into *folder* first.
        made_by: the command, for the card.

    Returns:
        the card.

    Raises:
        BadInput: the folder or, without *skip_bad*, a case is unusable; or *out* is.
    """
    from tqdm import tqdm

    with writing(out):
        Path(out).exists()  # a name too long, or no right to look, is found before the work
    modalities = modalities or source.channels
    print(f"{source.title}\nLicence: {source.licence}\nPlease cite: {source.citation}", flush=True)
    if fetch:
        fetch()
    found = source.find(Path(folder))
    if not found.cases and not found.bad:
        raise nothing_found(source, folder, found)
    files = found.cases[:limit]
    sums, dropped, file_notes = Counter(), Counter(), Counter()
    skipped: list[str] = []
    windows: dict[str, list[dict]] = {}  # of each case that is kept

    def skip(error: BadInput) -> None:
        if not skip_bad:
            raise error
        skipped.append(str(error))
        tqdm.write(f"skipped: {error}", file=sys.stderr)

    def attempt(files: CaseFiles) -> tuple[Case, Case] | BadInput | Dropped:
        try:
            case = source.load(files, modalities)
            return case, resample_case(case)
        except (BadInput, Dropped) as outcome:
            return outcome

    for error in found.bad:
        skip(error)
    about = About(
        source.name, source.title, source.licence, source.citation, modalities, made_by, limits=source.limits
    )
    with SliceSetWriter(out, about) as writer, closing(in_order(attempt, files, workers)) as outcomes:
        progress = {"desc": source.name, "unit": " cases", "file": sys.stdout, "disable": None}
        for outcome in tqdm(outcomes, total=len(files), **progress):
            if isinstance(outcome, BadInput):
                skip(outcome)
            elif isinstance(outcome, Dropped):
                dropped[str(outcome)] += 1
            else:
                case, resampled = outcome
                sums.update(counted(case, resampled))
                file_notes.update(case.notes)
                windows[case.case] = [asdict(window) for window in case.windows]
                writer.add(
                    resampled.images,
                    resampled.stroke,
                    resampled.foreground,
                    patient=case.patient,
                    case=case.case,
                    plane=case.plane,
                    z=case.z,
                    spacing=resampled.spacing,
                    source=source.name,
                )
        if not windows:
            raise BadInput(
                folder, "holds no case that could be kept", "see the lines above, or --help for the layout"
            )
        writer.card = {name: round(value, 3) for name, value in sums.items()} | {
            "cases_dropped": dict(dropped),
            "cases_skipped_as_bad": skipped,
            "notes": dict(found.notes),
            "file_notes": dict(file_notes),
            "foreground_rule": source.foreground_rule,
        }
        first, *rest = windows.values()
        if all(other == first for other in rest):
            writer.about = replace(about, windows=tuple(first))
        else:
            writer.card["windows_by_case"] = windows
    written = SliceSet.open(out, verify=False).card
    print(card_text(out, written), flush=True)
    return written


def card_text(out: Path, card: dict) -> str:
    """The data card in words."""
    counts = card["counts"]
    lines = [
        f"{out}: {counts['slices']:,} slices of {counts['patients']:,} patients ({card['cases_kept']:,} cases)",
        f"  with stroke: {counts['slices_with_stroke']:,} slices ({counts['share_with_stroke']:.2%}) "
        f"of {counts['patients_with_stroke']:,} patients; {card['cases_without_stroke']:,} cases show none",
        *(f"  dropped: {n:,} ({reason})" for reason, n in card["cases_dropped"].items()),
        *(f"  left aside: {n:,} {what}" for what, n in card["notes"].items()),
        *(f"  note: {what} ({n:,} cases)" for what, n in sorted(card["file_notes"].items())),
        f"  skipped as bad: {len(card['cases_skipped_as_bad']):,}",
        f"  lesion volume: {card['lesion_ml_before_resampling']:,.1f} mL before resampling, "
        f"{card['lesion_ml_after_resampling']:,.1f} mL after; "
        f"{card['planes_whose_lesion_was_lost_by_resampling']:,} planes lost a lesion too small for it",
        f"  clipped outside the foreground: {card['lesion_ml_clipped_outside_foreground']:,.1f} mL "
        f"in {card['cases_clipped']:,} cases",
        f"  orientation: {card['orientation']}",
        *(f"  window: {w['channel']} {w['low']:g} to {w['high']:g} ({w['rule']})" for w in card["windows"]),
        *([] if card["windows"] else ["  windows: one for each case and channel, in dataset.json"]),
        f"  foreground: {card['foreground_rule']}",
        *(f"  limit: {limit}" for limit in card["limits"]),
    ]
    return "\n".join(lines)
