"""From the phantom to real slices: what is drawn of them is in the saved table, too."""

from pathlib import Path

from brains import brains

from strokegan_lib.classroom import draw_transfer, phantom_to_real, table_of
from strokegan_lib.classroom.transfer import SHOWN


def test_lines_and_the_saved_table_are_drawn_alike(tmp_path: Path):
    saved, _ = table_of("phantom_to_real")
    lines = phantom_to_real(brains(tmp_path / "discs"))
    assert [line["arm"] for line in lines] == ["masked", "segan", "unet"]
    drawn = {f"{score}_{end}" for score in SHOWN for end in ("mean", "low", "high")}
    assert all(drawn <= line.keys() and line["trained_on"] == "phantom" for line in lines)
    assert all(drawn <= line.keys() for line in saved)
    for some in (lines, saved, [saved[0] | {"dice_mean": None, "dice_low": None}]):
        figure = draw_transfer(some, "discs")
        names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert len(names) == len(some) and names[0].endswith("phantom")
