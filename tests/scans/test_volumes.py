"""The reader of volumes: sound files are read as nibabel and SimpleITK read them, bad ones are refused by name."""

import gzip
import itertools
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import ball, nifti

from strokegan_lib.errors import BadInput
from strokegan_lib.scans.formats import SCALED, UNPLACED
from strokegan_lib.scans.volumes import NAN_OUTSIDE, Volume, check_same_grid, read_mask, read_volume

SHAPE = (5, 6, 4)
VOXELS = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)

BYTES = VOXELS.tobytes(order="F")
MHA = (
    b"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    b"CompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1 1 1\n"
    b"DimSize = 5 6 4\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n"
)


def refused(path: Path, what: str, reader=read_volume) -> None:
    with pytest.raises(BadInput) as caught:
        reader(path)
    assert what in str(caught.value) and str(path) in str(caught.value) and caught.value.remedy


def raw_nifti(shape=SHAPE, dtype=np.float32, **fields) -> bytes:
    """A NIfTI file whose header may lie; its voxels are VOXELS."""
    head = nib.Nifti1Header()
    head.set_data_dtype(dtype)
    head["dim"] = [len(shape), *shape, *[1] * (7 - len(shape))]
    rows = {"srow_x": [1, 0, 0, 0], "srow_y": [0, 1, 0, 0], "srow_z": [0, 0, 1, 0]}
    usual = {"pixdim": 1, "sform_code": 1, "vox_offset": 352, "magic": b"n+1"}
    for name, value in (usual | rows | fields).items():
        head[name] = value
    return head.binaryblock + b"\0" * 4 + BYTES


def mha(old: bytes, new: bytes, voxels: bytes = BYTES) -> bytes:
    """A .mha file of VOXELS whose header has *new* for *old* and may lie."""
    assert old in MHA
    return MHA.replace(old, new, 1) + voxels


def packed(voxels: bytes = BYTES) -> bytes:
    return mha(b"CompressedData = False", b"CompressedData = True", zlib.compress(voxels))


def written(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def test_every_orientation_gives_the_same_planes_and_affine(tmp_path):
    affine = np.diag([2, 1.5, 3, 1.0])
    affine[:3, 3] = 7, -8, 9
    ras = nib.Nifti1Image(VOXELS, affine)
    planes = VOXELS.transpose(2, 1, 0)[:, ::-1]  # (Z, Y, X), anterior first, the patient's left at the left
    kinds = itertools.cycle(itertools.product((".nii", ".nii.gz"), (nib.Nifti1Image, nib.Nifti2Image)))
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            suffix, kind = next(kinds)
            turned = ras.as_reoriented(np.stack([axes, flips], 1))
            kind(turned.get_fdata(dtype=np.float32), turned.affine).to_filename(tmp_path / f"a{suffix}")
            volume = read_volume(tmp_path / f"a{suffix}")
            assert np.array_equal(volume.planes(), planes) and np.allclose(volume.affine, affine)
            assert volume.spacing == pytest.approx((2, 1.5, 3)) and volume.data.dtype == np.float32
            assert np.allclose(volume.heights(), 9 + 3 * np.arange(4)) and volume.notes == ()


# big-endian integers with slope and intercept, and a fourth axis of length 1
SCALED_BIG = nib.Nifti1Image(
    (2 * VOXELS[..., None] - 20).astype(np.int16), np.eye(4), nib.Nifti1Header(endianness=">")
)
SCALED_BIG.header.set_slope_inter(0.5, 10)
PACKED = gzip.compress(raw_nifti())
SOUND_FILES = {
    "members.nii.gz": gzip.compress(raw_nifti()[:400]) + gzip.compress(raw_nifti()[400:]) + bytes(9),
    "packed.nii": PACKED,
    "plain.nii.gz": raw_nifti(),
    "big.nii": SCALED_BIG.to_bytes(),
    "big.mha": mha(b"MSB = False", b"MSB = True", VOXELS[::-1, ::-1].astype(">f4").tobytes(order="F")),
}


@pytest.mark.parametrize("name", SOUND_FILES)
def test_packing_is_known_by_its_bytes_and_every_order_of_bytes_is_read(tmp_path, name):
    assert np.allclose(read_volume(written(tmp_path / name, SOUND_FILES[name])).data, VOXELS)


@pytest.mark.parametrize("compress", [False, True])
def test_metaimage_is_read_as_simpleitk_reads_it(tmp_path, compress):
    import SimpleITK

    image = SimpleITK.GetImageFromArray(VOXELS.astype(np.int16).transpose())
    image.SetSpacing((1.5, 2, 3))
    image.SetOrigin((10, -20, 30))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    for name in ("a.mha", "a.nii"):
        SimpleITK.WriteImage(image, str(tmp_path / name), compress)
    ours, nii = read_volume(tmp_path / "a.mha"), read_volume(tmp_path / "a.nii")
    assert np.array_equal(ours.data, nii.data) and np.allclose(ours.affine, nii.affine, atol=1e-5)


BAD_FILES = {  # name, content, words of the complaint
    "gigabytes": ("a.nii", raw_nifti((1000, 1000, 1000)), "claims more than 512 MiB"),
    "negative dimensions": ("a.nii", raw_nifti((-5, 6, 4)), "claims a shape of -5x6x4"),
    "five dimensions": ("a.nii", raw_nifti((5, 6, 4, 1, 1)), "is no 3-D volume"),
    "complex numbers": ("a.nii", raw_nifti(dtype=np.complex64), "not one file of plain numbers"),
    "no scale at all": ("a.nii", raw_nifti(srow_x=[0, 0, 0, 0]), "without usable geometry"),
    "NaN in the affine": ("a.nii", raw_nifti(srow_x=[np.nan, 0, 0, 0]), "without usable geometry"),
    "micrometres": ("a.nii", raw_nifti(srow_x=[1e-3, 0, 0, 0], pixdim=[1, 1e-3, *[1] * 6]), "geometry in mm"),
    "voxels far behind": ("a.nii", raw_nifti(vox_offset=1e9), "voxels from byte 1e+09"),
    "two files": ("a.nii", raw_nifti(magic=b"ni1"), "magic b'ni1'"),
    "an unknown type": ("a.nii", raw_nifti(datatype=999), "not one file of plain numbers"),
    "constant": ("a.nii", raw_nifti()[:352] + bytes(480), "is constant (0 in every voxel)"),
    "empty": ("a.nii.gz", b"", "is not a NIfTI file"),
    "short": ("a.nii", raw_nifti()[:-1], "does not hold the 832 bytes"),
    "long": ("a.nii", raw_nifti() + bytes(2**17), "does not hold the 832 bytes"),
    "no checksum": ("a.nii.gz", PACKED[:-8], "is damaged or cut short"),
    "rubbish behind": ("a.nii.gz", PACKED + b"rubbish", "is damaged"),
    "mha, another file": ("a.mha", mha(b"= LOCAL", b"= /etc/passwd"), "is no MetaImage file"),
    "mha, gigabytes": ("a.mha", mha(b"5 6 4", b"1000 1000 1000"), "claims more than 512 MiB"),
    "mha, a few more": ("a.mha", mha(b"5 6 4", b"5 6 5"), "does not hold the 600 bytes"),
    "mha, dimensions": ("a.mha", mha(b"NDims = 3", b"NDims = 2"), "is no MetaImage file"),
    "mha, unknown type": ("a.mha", mha(b"MET_FLOAT", b"MET_OTHER"), "is no MetaImage file"),
    "mha, colours": ("a.mha", mha(b"Dim", b"ElementNumberOfChannels = 3\nDim"), "is no MetaImage file"),
    "mha, text": ("a.mha", mha(b"BinaryData = True", b"BinaryData = False"), "is no MetaImage file"),
    "mha, cut short": ("a.mha", packed()[:-5], "does not hold the 480 bytes"),
    "mha, another checksum": ("a.mha", packed()[:-1] + b"?", "is damaged"),
    "mha, a bomb": ("a.mha", packed(bytes(2**26)), "does not hold the 480 bytes"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file(tmp_path, caplog, capfd, case):
    name, content, what = BAD_FILES[case]
    refused(written(tmp_path / name, content), what)
    assert capfd.readouterr().err == "" and not caplog.records  # nibabel reports nothing by itself


@pytest.mark.parametrize(
    ("fields", "spacing", "notes"),
    [  # pixdim's first number is a handedness, and 0 is read as 1; a size's sign says nothing
        *(({"srow_x": [2, 0, 0, 0], "pixdim": [1, x, *[1] * 6]}, (2, 1, 1), ()) for x in (1.9995, 0, -2, np.nan)),
        *(({"pixdim": [*p, *[1] * 4]}, (2, 2, 5), (SCALED,)) for p in ([0, 2, 2, 5], [1, -2, 2, 5])),
        ({"pixdim": [-1, 2, -2, 5, *[1] * 4], "qform_code": 1}, (2, 2, 5), (SCALED,)),
        ({"sform_code": 0}, (1, 1, 1), (UNPLACED,)),
        ({"sform_code": 0, "qform_code": 1}, (1, 1, 1), ()),
    ],
)  # fmt: skip
def test_size_of_a_voxel_and_what_is_noted(tmp_path, caplog, fields, spacing, notes):
    volume = read_volume(written(tmp_path / "a.nii", raw_nifti(**fields)))
    assert (volume.spacing, volume.notes) == (spacing, notes) and not caplog.records


def test_where_the_sform_is_not_to_be_believed_the_qform_gives_directions_and_place(tmp_path):
    """As in ISLES 2018, whose sform is the identity."""
    turned = {"pixdim": [1, 0.9, 0.9, 8, *[1] * 4], "quatern_d": 1, "qoffset_y": 5, "qform_code": 2}
    volume = read_volume(written(tmp_path / "b.nii", raw_nifti(**turned)))  # by half a turn around z
    assert volume.notes == (SCALED,) and np.array_equal(volume.data, VOXELS[::-1, ::-1])
    assert volume.affine[:3, 3] == pytest.approx([-4 * 0.9, 5 - 5 * 0.9, 0])


HEAD = ball((12, 14, 9), (5.5, 6, 0), (6, 5, 6))  # touches borders; the planes above it hold nothing


def test_nan_all_around_the_head_is_background_and_elsewhere_is_not(tmp_path):
    data = np.where(HEAD, 5.0, np.nan)
    data[5, 6, 2] = 9
    turned = nifti(tmp_path / "t.nii.gz", data.transpose(1, 2, 0), np.eye(4)[[2, 0, 1, 3]])
    for path in (nifti(tmp_path / "a.nii.gz", data), turned):
        volume = read_volume(path)
        assert np.array_equal(volume.data, np.nan_to_num(data)) and volume.notes == (NAN_OUTSIDE,)
    assert read_mask(nifti(tmp_path / "m.nii.gz", np.where(HEAD, data == 9, np.nan))).data.sum() == 1
    holes, corner = ((5, 6, 1), (5, 6, 0)), (0, 0, 4)  # a hole in the head, also at the end of a slab; air
    for where, value in (
        *((hole, np.nan) for hole in holes),
        *((corner, 0), (corner, np.inf), (holes[0], 1e300), (..., np.nan)),  # 1e300: float32 cannot hold it
    ):
        changed = np.where(HEAD, 1.0, np.nan)
        changed[where] = value
        refused(nifti(tmp_path / "a.nii.gz", changed), "NaN or infinite", read_mask)


def test_every_flipped_bit_is_found_or_harmless(tmp_path):
    found = 0
    for at in range(len(PACKED)):
        flipped = PACKED[:at] + bytes([PACKED[at] ^ 1]) + PACKED[at + 1 :]
        try:
            assert np.array_equal(read_volume(written(tmp_path / "a.nii.gz", flipped)).data, VOXELS)
        except BadInput:
            found += 1
    assert found >= len(PACKED) - 24  # flags and time in the gzip header


def test_gzip_bomb_is_stopped_early(tmp_path):
    import resource

    path = written(tmp_path / "a.nii.gz", PACKED + 4 * gzip.compress(bytes(2**26), 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "does not hold the 832 bytes")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024  # KiB


@pytest.mark.parametrize("label", [2, 0.5, 255, -1])
def test_unexpected_labels(tmp_path, label):
    path = nifti(tmp_path / "a.nii.gz", np.resize(np.array([0, 1, label], np.float32), SHAPE))
    refused(path, f"({label:g}; expected 0, 1)", read_mask)
    assert not read_mask(nifti(path, np.zeros(SHAPE, np.uint8))).data.any()  # a mask may be empty


def test_grids_differ_or_are_rounded():
    image = Volume(VOXELS, np.eye(4), Path("image.nii"))
    check_same_grid(image, Volume(VOXELS, np.eye(4) + 1e-4, Path("mask.nii")))
    with pytest.raises(BadInput, match=r"mask\.nii: has affine \[\[.*but image\.nii has \[\["):
        check_same_grid(image, Volume(VOXELS, np.eye(4) - 1e-2, Path("mask.nii")))
    with pytest.raises(BadInput, match=r"shape \(5, 6, 3\), but image.nii has \(5, 6, 4\)"):
        check_same_grid(image, Volume(VOXELS[..., :3], np.eye(4), Path("mask.nii")))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 347), st.binary(min_size=1, max_size=4), st.sampled_from((".nii", ".mha")))
def test_no_header_gives_anything_but_a_volume_or_bad_input(tmp_path, at, value, suffix):
    raw = raw_nifti() if suffix == ".nii" else MHA + BYTES
    try:
        volume = read_volume(written(tmp_path / f"a{suffix}", raw[:at] + value + raw[at + len(value) :]))
    except BadInput:
        return
    assert volume.data.ndim == 3 and np.isfinite(volume.data).all() and np.isfinite(volume.affine).all()
