"""From the phantom to real slices: lines as those of the saved table, and their figure."""

from pathlib import Path

from brains import brains

from strokegan_lib.classroom import draw_transfer, phantom_to_real, table_of


def test_lines_are_those_of_the_saved_table(tmp_path: Path):
    saved, _ = table_of("phantom_to_real")
    lines = phantom_to_real(brains(tmp_path / "discs"))
    assert [line["arm"] for line in lines] == ["masked", "segan", "unet"]
    assert all(saved[0].keys() <= line.keys() and line["trained_on"] == "phantom" for line in lines)
    for some in (lines, saved, [saved[0] | {"dice_mean": None, "dice_low": None}]):
        figure = draw_transfer(some, "discs")
        names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert len(names) == len(some) and names[0].endswith("phantom")
