"""From the phantom to real slices: shipped segmentors of either kind on real test patients.

Nothing is trained or chosen here: each keeps the threshold that its own validation patients gave it. (The
phantom's grey levels were once tuned on SOOP's slices, these test patients among them.)
"""

from __future__ import annotations

from experiments.recipes import STORES
from experiments.runner import Place, Result, score, tables
from experiments.table1 import METHODS
from strokegan_lib.training.weights import shipped


def transfer(place: Place) -> Result:
    """A line for each method and data set that it was trained on; minus_arm is the phantom's less the real one's."""
    rows, lines = place.data.of_split("test"), []
    for method in METHODS:
        found = {store: score(shipped(f"{method}-{store}"), place.data, rows) for store in STORES}
        result = tables({store: of for store, (of, _) in found.items()}, place.data, rows)
        for line in result.tables[""]:
            told = {"trained_on": line["arm"], "threshold": found[line["arm"]][1]["threshold"]}
            lines.append({**line, "arm": method, **told})
    result.tables = {"": lines}
    return result
