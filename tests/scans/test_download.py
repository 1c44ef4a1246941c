"""Downloads from a server on loopback: broken connections, lies, and archives that reach out."""

import hashlib
import io
import re
import stat
import threading
import zipfile
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from strokegan_lib.scans.archives import unpack
from trees import isles2022_case, soop_subject

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.scans import isles2022, soop, soop_known
from strokegan_lib.scans.command import main
from strokegan_lib.scans.download import Remote, fetch, get

BODY = hashlib.shake_128(b"a public file").digest(1_500_000)


@dataclass
class Place:
    """A server on loopback whose manners a test can choose."""

    url: str = ""
    body: bytes = BODY
    breaks: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    ranges: bool = True
    length: bool = True
    chunked: bool = False
    errors: list[int] = field(default_factory=list)  # statuses of the next answers
    shift: int = 0  # by how much a resumed answer lies about its start
    asked: list[str] = field(default_factory=list)  # Range of every request
    paths: list[str] = field(default_factory=list)


@pytest.fixture
def place():
    here = Place()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            here.asked.append(self.headers.get("Range", ""))
            here.paths.append(self.path)
            self.close_connection = True
            if here.errors:
                self.send_error(here.errors.pop(0))
                return
            start = 0
            match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if match and here.ranges:
                start = int(match[1])
                if start >= len(here.body):
                    self.send_error(416)
                    return
                self.send_response(206)
                first = start + here.shift
                self.send_header("Content-Range", f"bytes {first}-{len(here.body) - 1}/{len(here.body)}")
            else:
                self.send_response(200)
            rest = here.body[start:]
            if here.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif here.length:
                self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            broken = here.breaks.pop(0) if here.breaks else None
            sent = rest if broken is None else rest[:broken]
            if here.chunked:
                sent = f"{len(sent):x}\r\n".encode() + sent + b"\r\n" + (b"" if broken else b"0\r\n\r\n")
            self.wfile.write(sent)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


def fetched(place: Place, target: Path, cap: int = 10**7, **more) -> bytes:
    fetch(f"{place.url}/file", target, cap, pause=0.001, **more)
    assert not target.with_name(target.name + ".part").exists()
    return target.read_bytes()


@pytest.mark.parametrize("manners", [{}, {"length": False}, {"chunked": True}])
def test_whole_file(tmp_path, place, manners):
    for name, value in manners.items():
        setattr(place, name, value)
    assert fetched(place, tmp_path / "a.zip") == BODY


def test_broken_connections_are_resumed_where_they_broke(tmp_path, place):
    place.breaks = [300_000, 500_000, 1]
    assert fetched(place, tmp_path / "a.zip") == BODY
    assert place.asked == ["", "bytes=300000-", "bytes=800000-", "bytes=800001-"]


@pytest.mark.parametrize("manners", [{"ranges": False}, {"chunked": True}, {"shift": 5}])
def test_server_that_cannot_resume_begins_again(tmp_path, place, manners):
    for name, value in manners.items():
        setattr(place, name, value)
    place.breaks = [300_000]
    assert fetched(place, tmp_path / "a.zip") == BODY


def test_errors_of_the_moment_are_tried_again_others_are_not(tmp_path, place):
    place.errors = [503, 500, 429]
    assert fetched(place, tmp_path / "a.zip") == BODY
    place.errors = [404]
    with pytest.raises(BadInput, match="HTTP 404"):
        fetched(place, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_it_gives_up_and_goes_on_the_next_time(tmp_path, place):
    place.breaks = [700_000, 0, 0, 0, 0, 0]
    with pytest.raises(BadInput, match=r"the connection broke.*run the same command again"):
        fetched(place, tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").stat().st_size == 700_000 and not (tmp_path / "a.zip").exists()
    place.asked.clear()
    assert fetched(place, tmp_path / "a.zip") == BODY
    assert place.asked == ["bytes=700000-"]


def test_a_part_that_is_longer_than_the_file(tmp_path, place):
    (tmp_path / "a.zip.part").write_bytes(bytes(len(BODY) + 5))
    assert fetched(place, tmp_path / "a.zip") == BODY


def test_no_server_at_all(tmp_path):
    with pytest.raises(BadInput, match="cannot be had"):
        fetch("http://127.0.0.1:9/file", tmp_path / "a.zip", 10, pause=0.001)
    with pytest.raises(BadInput, match="is no web address"):
        fetch("file:///etc/passwd", tmp_path / "a.zip", 10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("manners", [{}, {"length": False}, {"chunked": True}])
def test_caps(tmp_path, place, manners):
    for name, value in manners.items():
        setattr(place, name, value)
    with pytest.raises(BadInput, match=r"limit of 1,000,000|longer than 1,000,000"):
        fetched(place, tmp_path / "a.zip", cap=1_000_000)
    assert not (tmp_path / "a.zip").exists()


def test_another_size_than_was_published(tmp_path, place):
    with pytest.raises(BadInput, match="has 1,500,000 bytes, not 1,500,001"):
        fetched(place, tmp_path / "a.zip", size=len(BODY) + 1)


# ---------------------------------------------------------------- archives


def packed(path: Path, members: dict[str, bytes], **attributes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.filename = name  # as it is, however bad
            info.compress_type = zipfile.ZIP_DEFLATED
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            archive.writestr(info, data)
    return path


def refused(tmp_path: Path, archive: Path, what: str, cap: int = 10**6, members: int = 100) -> None:
    before = sorted(p.name for p in tmp_path.parent.iterdir())
    with pytest.raises(BadInput, match=what):
        unpack(archive, tmp_path / "out", cap, members)
    assert sorted(p.name for p in tmp_path.iterdir()) == [archive.name]
    assert sorted(p.name for p in tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("../evil", "climbs out"),
        ("a/../../evil", "climbs out"),
        ("/etc/evil", "absolute or foreign"),
        ("//host/evil", "absolute or foreign"),
        ("C:/evil", "absolute or foreign"),
        ("..\\evil", "absolute or foreign"),
        ("good/..", "climbs out"),
    ],
)
def test_members_that_reach_outside(tmp_path, name, what):
    refused(tmp_path, packed(tmp_path / "a.zip", {"good": b"1", name: b"2"}), what)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(tmp_path, kind):
    archive = packed(
        tmp_path / "a.zip", {"link": b"/etc/passwd"}, create_system=3, external_attr=(kind | 0o777) << 16
    )
    refused(tmp_path, archive, "holds a link or device")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_too_much_and_twice(tmp_path):
    archive = packed(tmp_path / "a.zip", {"zeros": bytes(2 * 10**6)})
    refused(tmp_path, archive, "claims 2,000,000 bytes")
    refused(tmp_path, packed(archive, {str(n): b"" for n in range(101)}), "holds 101 members")
    refused(tmp_path, packed(archive, {"a/b": b"1", "A/B": b"2"}), "holds a member twice")
    data = bytearray(packed(archive, {"zeros": bytes(2 * 10**6)}).read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")  # the directory claims less than comes out
    archive.write_bytes(data)
    refused(tmp_path, archive, "cannot be unpacked|more than it claims")


def test_damaged_archives(tmp_path):
    archive = packed(tmp_path / "a.zip", {"file": BODY[:9000]})
    data = archive.read_bytes()
    flipped = bytearray(data)
    flipped[4000] ^= 1
    for damaged in (flipped, data[:5000], b"", b"not found"):
        archive.write_bytes(damaged)
        refused(tmp_path, archive, "cannot be unpacked")
    encrypted = bytearray(data)
    encrypted[6] |= 1
    encrypted[data.rindex(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(encrypted)
    refused(tmp_path, archive, "cannot be unpacked")


def test_wrapping_folder_is_taken_off(tmp_path):
    unpack(packed(tmp_path / "a.zip", {"repo-123/PNG/a": b"1", "repo-123/b": b"2"}), tmp_path / "one", 100, 9)
    assert (tmp_path / "one" / "PNG" / "a").read_bytes() == b"1"
    (tmp_path / "two").mkdir()
    unpack(packed(tmp_path / "a.zip", {"PNG/a": b"1", "b": b"2"}), tmp_path / "two", 100, 9)
    assert (tmp_path / "two" / "PNG" / "a").read_bytes() == b"1"


# ---------------------------------------------------------------- the doors


def zipped(folder: Path, top: str) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, f"{top}/{path.relative_to(folder).as_posix()}")
    return memory.getvalue()


def test_download_then_prepare(tmp_path, place, capfd):
    """Fetched in three pieces, checked, unpacked, prepared; a second run downloads nothing."""
    isles2022_case(tmp_path / "tree", 1)
    place.body = zipped(tmp_path / "tree", "ISLES-2022")
    place.breaks = [1000, 2000]
    remote = Remote(
        place.url, "files/a.zip", 10**7, 10**7, 100, len(place.body), hashlib.md5(place.body).hexdigest()
    )
    source = replace(
        isles2022.SOURCE, download=lambda folder, mirror: get(remote, folder, mirror, pause=0.001)
    )
    folder = tmp_path / "data" / "isles"
    options = ["--source", str(folder), "--download", "--out"]
    assert main(source, [*options, f"{tmp_path}/one"]) == 0
    assert len(place.asked) == 3
    assert main(source, [*options, f"{tmp_path}/two"]) == 0
    said = capfd.readouterr().out
    assert len(place.asked) == 3
    assert (
        said.rindex(source.licence)
        < said.rindex("nothing is downloaded")
        < said.rindex("slices of 1 patients")
    )
    assert [p.name for p in folder.parent.iterdir()] == ["isles"]
    assert SliceSet.open(tmp_path / "one").card["sha256"] == SliceSet.open(tmp_path / "two").card["sha256"]


@pytest.mark.parametrize(
    ("source", "path", "what"),
    [
        (soop, "/neurolabusc/StrokeOutcomeOptimizationProjectDemo/zip/ae553f82c24721dec4cd3bcffdd6c952257e8dba", "files of the pinned commit"),
        (isles2022, "/records/7153326/files/ISLES-2022.zip?download=1", "bytes, not 1,692,717,470"),
    ],
)  # fmt: skip
def test_mirror_that_holds_something_else(tmp_path, place, capfd, source, path, what):
    soop_subject(tmp_path / "tree", 1)
    place.body = zipped(tmp_path / "tree", "x")
    options = [
        "--source",
        f"{tmp_path}/d/in",
        "--out",
        f"{tmp_path}/out",
        "--download",
        "--mirror",
        place.url,
    ]
    assert main(source.SOURCE, options) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert what in line and place.paths == [path]
    assert list((tmp_path / "d").iterdir()) == [] and not (tmp_path / "out").exists()


def test_md5_that_differs(tmp_path, place):
    remote = Remote(place.url, "a.zip", 10**7, 10**7, 100, len(BODY), "0" * 32)
    with pytest.raises(BadInput, match="md5 differs"):
        get(remote, tmp_path / "in", pause=0.001)
    assert list(tmp_path.iterdir()) == []


def test_contents_of_soop_are_compared_with_what_was_seen(tmp_path, monkeypatch):
    for number in (1, 2):
        soop_subject(tmp_path, number)
    monkeypatch.setattr(soop_known, "SUBJECTS", [1, 2])
    monkeypatch.setattr(soop_known, "DIGEST", soop_known.digest(tmp_path, [1, 2]))
    soop_known.check(tmp_path)
    path = tmp_path / "PNG" / "rsub-2_lesion.nii.png"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BadInput, match="does not hold the files of the pinned commit"):
        soop_known.check(tmp_path)
