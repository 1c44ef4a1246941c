"""The reader of volumes: what is sound is read as others read it, what lies is named."""

import gzip
import os
import struct
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import ball, metaimage, nifti

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import Volume
from strokegan_lib.scans.nifti import SCALED, UNPLACED
from strokegan_lib.scans.volumes import NAN_OUTSIDE, check_same_grid, read_mask, read_volume

SHAPE = (5, 6, 4)
VOXELS = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def refused(path: Path, what: str, reader=read_volume) -> None:
    with pytest.raises(BadInput) as caught:
        reader(path)
    assert what in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def header(shape=SHAPE, dtype=np.float32, **fields) -> bytes:
    """A NIfTI header of 352 bytes whose fields may lie."""
    head = nib.Nifti1Header()
    head.set_data_dtype(dtype)
    head["dim"] = [len(shape), *shape, *[1] * (7 - len(shape))]
    head["pixdim"] = 1
    head["sform_code"], head["srow_x"], head["srow_y"], head["srow_z"] = (
        1,
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
    )
    head["vox_offset"], head["magic"] = 352, b"n+1"
    for name, value in fields.items():
        head[name] = value
    return head.binaryblock + b"\0" * 4


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_agrees_with_nibabel_in_closest_canonical_order(tmp_path, suffix, kind, flips):
    affine = np.diag([*np.multiply(flips, (2.0, 1.5, 3.0)), 1.0])[[1, 0, 2, 3]]
    affine[:3, 3] = 7, -8, 9
    path = tmp_path / f"a{suffix}"
    kind(VOXELS, affine).to_filename(path)
    volume, canonical = read_volume(path), nib.as_closest_canonical(nib.load(path))
    assert np.array_equal(volume.data, canonical.get_fdata())
    assert np.allclose(volume.affine, canonical.affine)
    assert np.allclose(volume.spacing, canonical.header.get_zooms())
    assert volume.data.dtype == np.float32


def test_planes_show_anterior_on_top_and_left_on_the_left(tmp_path):
    data = np.zeros(SHAPE, np.float32)
    data[0, 5, 2] = 1  # in RAS order: leftmost, foremost, third plane
    planes = read_volume(nifti(tmp_path / "a.nii", data)).planes()
    assert planes.shape == (4, 6, 5)
    assert planes[2, 0, 0] == 1


def test_scaled_integers_and_a_single_fourth_dimension(tmp_path):
    image = nib.Nifti1Image(VOXELS[..., None].astype(np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    image.to_filename(tmp_path / "a.nii.gz")
    assert np.allclose(
        read_volume(tmp_path / "a.nii.gz").data, nib.load(tmp_path / "a.nii.gz").get_fdata()[..., 0]
    )


def test_several_gzip_members_are_one_file(tmp_path):
    raw = header() + VOXELS.tobytes(order="F")
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(raw[:400]) + gzip.compress(raw[400:]))
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz").data, VOXELS)


HEADERS_THAT_LIE = {
    "gigabytes": (header((1000, 1000, 1000)), "claims 3,815 MiB"),
    "more than an int holds": (header((32767,) * 3, np.float64), "limit is 512 MiB"),
    "negative dimensions": (header((-5, 6, 4)), "claims a shape of -5x6x4"),
    "zero dimensions": (header((5, 0, 4)), "claims a shape of 5x0x4"),
    "five dimensions": (header((5, 6, 4, 1, 2)), "has 5 dimensions"),
    "five dimensions, two of one": (header((5, 6, 4, 1, 1)), "has 5 dimensions"),
    "three volumes": (header((5, 6, 4, 3)), "has 4 dimensions"),
    "a plane": (header((5, 6)), "has 2 dimensions"),
    "complex numbers": (header(dtype=np.complex64), "not plain numbers"),
    "no scale at all": (header(srow_x=[0, 0, 0, 0]), "no usable geometry"),
    "two equal axes": (header(srow_x=[0, 1, 0, 0]), "no usable geometry"),
    "NaN in the affine": (header(srow_x=[np.nan, 0, 0, 0]), "no usable geometry"),
    "micrometres": (header(srow_x=[1e-3, 0, 0, 0], pixdim=[1, 1e-3, *[1] * 6]), "its unit is mm"),
    "voxels far behind": (header(vox_offset=1e9), "makes no sense (3 dimensions, voxels from byte"),
    "voxels before the file": (header(vox_offset=-400), "makes no sense (3 dimensions, voxels from byte"),
    "voxels nowhere": (header(vox_offset=np.nan), "makes no sense (3 dimensions, voxels from byte"),
    "two files": (header(magic=b"ni1"), "not a NIfTI file of one piece"),
    "an unknown type": (header(datatype=999), "makes no sense"),
}


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("lie", HEADERS_THAT_LIE)
def test_header_that_lies(tmp_path, capfd, lie, suffix):
    head, what = HEADERS_THAT_LIE[lie]
    raw = head + VOXELS.tobytes(order="F")
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(raw) if suffix == ".nii.gz" else raw)
    refused(path, what)
    assert capfd.readouterr().err == ""  # one line for the user, and that is the door's


@pytest.mark.parametrize("code", [0, 2])
def test_pixdim_gives_the_scale_where_the_sform_has_another(tmp_path, code):
    """As in ISLES 2018: the identity as sform; the directions are the qform's, if there is one."""
    flipped = np.diag([-0.9, 0.9, 8, 1])
    flipped[:3, 3] = 100, -90, 20
    image = nib.Nifti1Image(VOXELS, flipped)
    image.set_qform(flipped, code)
    image.set_sform(np.eye(4), 2)
    image.to_filename(tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert volume.spacing == pytest.approx((0.9, 0.9, 8)) and volume.notes == (SCALED,)
    assert np.array_equal(volume.data, VOXELS[::-1] if code else VOXELS)
    assert volume.affine[:3, 3] == pytest.approx([100 - 4 * 0.9, -90, 20] if code else [0, 0, 0])


@pytest.mark.parametrize("pixdim", [1.9995, 0, -2, np.nan])
def test_the_sform_gives_the_scale_where_pixdim_agrees_or_says_nothing(tmp_path, pixdim):
    (tmp_path / "a.nii").write_bytes(
        header(srow_x=[2, 0, 0, 0], pixdim=[1, pixdim, *[1] * 6]) + VOXELS.tobytes(order="F")
    )
    volume = read_volume(tmp_path / "a.nii")
    assert volume.spacing == (2, 1, 1) and volume.notes == ()


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("pixdim", [[0, 2, 2, 5], [1, -2, 2, 5], [-1, 2, -2, 5]])
def test_pixdim_gives_the_scale_whatever_its_signs(tmp_path, capfd, pixdim, code):
    """A handedness of 0 is read as 1, and nibabel's own words about it stay off stderr."""
    head = header(pixdim=[*pixdim, *[1] * 4], qform_code=code)
    (tmp_path / "a.nii").write_bytes(head + VOXELS.tobytes(order="F"))
    volume = read_volume(tmp_path / "a.nii")
    assert volume.spacing == (2, 2, 5) and volume.notes == (SCALED,)
    assert capfd.readouterr().err == ""


def test_a_header_without_side_and_height_is_noted(tmp_path):
    (tmp_path / "a.nii").write_bytes(header(sform_code=0) + VOXELS.tobytes(order="F"))
    assert read_volume(tmp_path / "a.nii").notes == (UNPLACED,)
    (tmp_path / "a.nii").write_bytes(header(sform_code=0, qform_code=1) + VOXELS.tobytes(order="F"))
    assert read_volume(tmp_path / "a.nii").notes == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_voxels_that_are_not_finite(tmp_path, value):
    data = VOXELS.astype(np.float64)
    data[1, 2, 3] = value
    path = nifti(tmp_path / "a.nii.gz", data)
    refused(path, "1 voxels that are NaN or infinite")
    with pytest.raises(BadInput, match="write a number there") as caught:
        read_volume(path)
    assert "again" not in caught.value.remedy


def test_nan_all_around_the_head_is_background(tmp_path):
    """The head may touch borders, and the planes above it may hold nothing."""
    shape = (12, 14, 9)
    head = ball(shape, (5.5, 6, 0), (6, 5, 6))
    data = np.where(head, 5.0, np.nan)
    data[5, 6, 2] = 9
    turned = nifti(tmp_path / "t.nii.gz", data.transpose(1, 2, 0), np.eye(4)[[2, 0, 1, 3]])
    for path in (nifti(tmp_path / "a.nii.gz", data), turned):
        volume = read_volume(path)
        assert np.array_equal(volume.data, np.nan_to_num(data)) and volume.notes == (NAN_OUTSIDE,)
    mask = nifti(tmp_path / "m.nii.gz", np.where(head, data == 9, np.nan))
    assert read_mask(mask).data.sum() == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.__setitem__((5, 6, 1), np.nan),  # a hole in the head
        lambda data: data.__setitem__((5, 6, 0), np.nan),  # the same at the end of a slab
        lambda data: data.__setitem__((0, 0, 4), 0),  # air that is a number, at a corner
        lambda data: data.__setitem__((0, 0, 4), np.inf),
        lambda data: data.fill(np.nan),
    ],
)
@pytest.mark.parametrize("reader", [read_volume, read_mask])
def test_nan_elsewhere_is_no_background(tmp_path, spoil, reader):
    data = np.where(ball((12, 14, 9), (5.5, 6, 0), (5, 5, 6)), 1.0, np.nan)
    spoil(data)
    refused(nifti(tmp_path / "a.nii.gz", data), "NaN or infinite", reader)


def test_constant_image_but_empty_mask(tmp_path):
    path = nifti(tmp_path / "a.nii.gz", np.zeros(SHAPE, np.uint8))
    refused(path, "is constant (0 in every voxel)")
    assert not read_mask(path).data.any()


DAMAGE = {
    "empty": (lambda raw: b"", "is empty"),
    "text": (lambda raw: b"404: not found", "is not a NIfTI file"),
    "half": (lambda raw: raw[: len(raw) // 2], "is cut short"),
    "without its checksum": (lambda raw: raw[:-8], "is cut short"),
    "half of the checksum": (lambda raw: raw[:-4], "is cut short"),
    "rubbish behind": (lambda raw: raw + b"rubbish", "is damaged"),
    "gzip of text": (lambda raw: gzip.compress(b"not found" * 100), "is not a NIfTI file"),
    "gzip of nothing": (lambda raw: gzip.compress(b""), "is empty"),
    "fewer voxels than claimed": (lambda raw: gzip.compress(gzip.decompress(raw)[:-4]), "is cut short"),
    "zeros only": (lambda raw: b"\0" * 1000, "is not a NIfTI file"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_gzip(tmp_path, damage):
    change, what = DAMAGE[damage]
    path = nifti(tmp_path / "a.nii.gz", VOXELS)
    path.write_bytes(change(path.read_bytes()))
    refused(path, what)


def test_gzip_named_nii_is_read_and_checked_as_such(tmp_path):
    raw = nifti(tmp_path / "a.nii.gz", VOXELS).read_bytes()
    path = tmp_path / "a.nii"
    path.write_bytes(raw)
    assert np.array_equal(read_volume(path).data, VOXELS)
    path.write_bytes(raw[:-4])
    refused(path, "is cut short")
    path.write_bytes(raw[:-8] + bytes([raw[-8] ^ 1]) + raw[-7:])
    refused(path, "is damaged")
    path.write_bytes(gzip.compress(gzip.decompress(raw) + bytes(2**20)))
    refused(path, "holds more data than its header says")


def test_plain_nifti_named_gz_is_read_too(tmp_path):
    path = nifti(tmp_path / "a.nii.gz", VOXELS)
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert np.array_equal(read_volume(path).data, VOXELS)


def test_plain_nifti_cut_short_or_too_long(tmp_path):
    path = nifti(tmp_path / "a.nii", VOXELS)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1])
    refused(path, "is cut short")
    path.write_bytes(raw + b"\0" * 2**17)
    refused(path, "more data than its header says")
    path.write_bytes(b"")
    refused(path, "is empty")


def test_every_flipped_bit_is_found_or_harmless(tmp_path):
    path = nifti(tmp_path / "a.nii.gz", VOXELS)
    raw = bytearray(path.read_bytes())
    found = 0
    for at in range(0, len(raw)):
        raw[at] ^= 1 << at % 8
        path.write_bytes(raw)
        try:
            assert np.array_equal(read_volume(path).data, VOXELS)  # in the gzip header: name, time
        except BadInput:
            found += 1
        raw[at] ^= 1 << at % 8
    assert found >= len(raw) - 24


def test_gzip_bomb_is_stopped_early(tmp_path):
    import resource

    path = tmp_path / "a.nii.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(header())
        for _ in range(400):
            file.write(bytes(2**20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "holds more data than its header says")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # KiB


def test_missing_folder_and_unknown_format(tmp_path):
    refused(tmp_path / "a.nii", "does not exist")
    refused(tmp_path, "is not a file")
    (tmp_path / "a.jpg").write_bytes(b"x")
    refused(tmp_path / "a.jpg", "unknown format")


@pytest.mark.parametrize(
    ("values", "what"),
    [((0, 1, 2), "(2; expected 0, 1)"), ((0, 0.5), "(0.5;"), ((0, 255), "(255;"), ((-1, 0), "(-1;")],
)
def test_unexpected_labels(tmp_path, values, what):
    path = nifti(tmp_path / "a.nii.gz", np.resize(np.array(values, np.float32), SHAPE))
    refused(path, what, read_mask)


def test_grids_differ_or_are_rounded(tmp_path):
    image = Volume(VOXELS, np.eye(4), tmp_path / "image.nii")
    for shift, fine in ((1e-8, True), (1e-4, True), (1e-2, False), (-1e-2, False)):
        for entry in ((0, 0), (0, 3), (2, 1)):
            affine = np.eye(4)
            affine[entry] += shift
            mask = Volume(VOXELS, affine, tmp_path / "mask.nii")
            if fine:
                check_same_grid(image, mask)
            else:
                with pytest.raises(BadInput, match=r"mask\.nii: has affine \[\[.*but image\.nii has \[\["):
                    check_same_grid(image, mask)
    with pytest.raises(BadInput, match=r"shape 5x6x3, but image.nii has 5x6x4"):
        check_same_grid(image, Volume(VOXELS[..., :3], np.eye(4), tmp_path / "mask.nii"))


@pytest.mark.parametrize("compress", [False, True])
def test_metaimage_agrees_with_the_same_image_as_nifti(tmp_path, compress):
    import SimpleITK

    image = SimpleITK.GetImageFromArray(VOXELS.astype(np.int16).transpose())
    image.SetSpacing((1.5, 2, 3))
    image.SetOrigin((10, -20, 30))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    for name in ("a.mha", "a.nii"):
        SimpleITK.WriteImage(image, str(tmp_path / name), compress)
    mha, nii = read_volume(tmp_path / "a.mha"), read_volume(tmp_path / "a.nii")
    assert np.array_equal(mha.data, nii.data)
    assert np.allclose(mha.affine, nii.affine, atol=1e-5)
    if os.name == "posix":  # elsewhere every name is UTF-8
        foreign = tmp_path / os.fsdecode(b"M\xfcnchen.mha")
        (tmp_path / "a.mha").rename(foreign)
        assert np.array_equal(read_volume(foreign).data, nii.data)


def swap(old: bytes, new: bytes):
    return lambda raw: raw.replace(old, new, 1)


METAIMAGES_THAT_LIE = {
    "another file": (swap(b"= LOCAL", b"= /etc/passwd"), "which the kit does not read"),
    "a list of files": (swap(b"= LOCAL", b"= LIST"), "which the kit does not read"),
    "gigabytes": (swap(b"DimSize = 5 6 4", b"DimSize = 1000 1000 1000"), "limit is 512 MiB"),
    "negative": (swap(b"DimSize = 5 6 4", b"DimSize = -5 6 4"), "claims a shape of -5x6x4"),
    "a few more": (swap(b"DimSize = 5 6 4", b"DimSize = 5 6 5"), "bytes of voxels"),
    "dimensions": (swap(b"NDims = 3", b"NDims = 2"), "says NDims 2"),
    "words": (swap(b"DimSize = 5 6 4", b"DimSize = a b c"), "makes no sense"),
    "unknown type": (swap(b"MET_FLOAT", b"MET_OTHER"), "makes no sense"),
    "colours": (swap(b"DimSize", b"ElementNumberOfChannels = 3\nDimSize"), "elementnumberofchannels 3"),
    "twice": (swap(b"DimSize", b"DimSize = 1 1 1\nDimSize"), "says dimsize twice"),
    "text voxels": (swap(b"BinaryData = True", b"BinaryData = False"), "binarydata False"),
    "cut short": (lambda raw: raw[:-3], "bytes of voxels"),
    "too long": (lambda raw: raw + b"abc", "bytes of voxels"),
    "empty": (lambda raw: b"", "is empty"),
    "text": (lambda raw: b"not found\n", "is not a MetaImage file"),
    "zeros": (lambda raw: b"\0" * 1000, "is not a MetaImage file"),
    "flat": (swap(b"ElementSpacing = 1 1 1", b"ElementSpacing = 1 1 0"), ""),
}


@pytest.mark.parametrize("lie", METAIMAGES_THAT_LIE)
def test_metaimage_that_lies(tmp_path, capfd, lie):
    change, what = METAIMAGES_THAT_LIE[lie]
    path = metaimage(tmp_path / "a.mha", VOXELS, compress=False)
    raw = path.read_bytes()
    path.write_bytes(change(raw))
    assert path.read_bytes() != raw
    refused(path, what)
    assert capfd.readouterr().err == ""


def test_packed_metaimage_cut_flipped_or_a_bomb(tmp_path):
    path = metaimage(tmp_path / "a.mha", VOXELS)
    raw = path.read_bytes()
    start = raw.index(b"LOCAL\n") + 6
    path.write_bytes(raw[:-5])
    refused(path, "is cut short")
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    refused(path, "is damaged")
    path.write_bytes(raw[:start] + zlib.compress(bytes(2**26)))
    refused(path, "bytes of voxels")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 347), value=st.binary(min_size=1, max_size=4), packed=st.booleans())
def test_no_header_gives_anything_but_a_volume_or_bad_input(tmp_path, at, value, packed):
    raw = bytearray(header() + VOXELS.tobytes(order="F"))
    raw[at : at + len(value)] = value
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(gzip.compress(bytes(raw), 1) if packed else raw)
    try:
        volume = read_volume(path)
    except BadInput:
        return
    assert volume.data.ndim == 3 and np.isfinite(volume.data).all() and np.isfinite(volume.affine).all()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 280), value=st.binary(min_size=1, max_size=3))
def test_no_metaimage_gives_anything_but_a_volume_or_bad_input(tmp_path, at, value):
    path = metaimage(tmp_path / "a.mha", VOXELS, compress=False)
    raw = bytearray(path.read_bytes())
    raw[at : at + len(value)] = value
    path.write_bytes(raw)
    try:
        volume = read_volume(path)
    except BadInput:
        return
    assert volume.data.ndim == 3 and np.isfinite(volume.data).all() and np.isfinite(volume.affine).all()


@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders(tmp_path, order):
    image = nib.Nifti1Image(VOXELS, np.eye(4), nib.Nifti1Header(endianness=order))
    image.to_filename(tmp_path / "a.nii.gz")
    raw = gzip.decompress((tmp_path / "a.nii.gz").read_bytes())
    assert struct.unpack(f"{order}i", raw[:4]) == (348,)
    assert np.array_equal(read_volume(tmp_path / "a.nii.gz").data, VOXELS)


if "STROKEGAN_REAL" in os.environ:

    def test_real_metaimages_have_the_geometry_that_their_nifti_origin_had():
        for path in Path(os.environ["STROKEGAN_REAL"], "mha_sample").glob("*.mha"):
            volume = read_volume(path)
            said = dict(
                line.split(" = ", 1) for line in path.read_bytes().split(b"LOCAL")[0].decode().splitlines()
            )
            rows = np.array([np.fromstring(said[f"srow_{axis}"], sep=" ") for axis in "xyz"])
            stored = np.eye(4)
            stored[:3] = rows  # the file's own note of its affine before it was converted
            flip = np.diag([-1.0, 1, 1, 1])
            flip[0, 3] = volume.data.shape[0] - 1
            assert np.allclose(stored @ flip, volume.affine, atol=1e-2)
