"""Downloads from a server on loopback: whole or not at all, and nothing outside their folder."""

import hashlib
import io
import os
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from trees import SOURCES, isles2022_case, soop_subject

from strokegan_lib.data.slices import SliceSet
from strokegan_lib.errors import BadInput
from strokegan_lib.scans import download as module
from strokegan_lib.scans.command import main
from strokegan_lib.scans.download import download
from strokegan_lib.scans.soop import check_commit


@pytest.fixture
def server():
    """On loopback: sends as much of its body as it is told, and remembers what was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            state.paths.append(self.path)
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body[: state.sent])

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        url = f"http://127.0.0.1:{http.server_address[1]}"
        state = SimpleNamespace(url=url, body=b"", sent=None, status=200, paths=[])
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        http.shutdown()


def zipped(members: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


def test_the_folder_one_is_in_is_not_replaced(tmp_path, server, monkeypatch, capfd):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    options = ["--source", ".", "--download", "--mirror", f"{server.url}/", "--out", f"{tmp_path}/out"]
    assert main(SOURCES["isles2022"], options) == 2 and not server.paths
    assert "the folder you are in" in capfd.readouterr().err and not (tmp_path / "out").exists()


def test_download_then_prepare(tmp_path, server, capfd):
    """Checked, unpacked without the folder around it and nowhere else; a second run downloads nothing."""
    isles2022_case(tmp_path / "tree", 1)
    files = {f"wrapped/{p.relative_to(tmp_path)}": p.read_bytes() for p in tmp_path.rglob("*.gz")}
    server.body = zipped(files | {"wrapped/../../../evil": b"1"})
    known = "md5:" + hashlib.md5(server.body).hexdigest()
    fetch = partial(download, "https://zenodo.invalid", "files/a.zip", known_hash=known)
    source = replace(SOURCES["isles2022"], download=fetch)
    folder = tmp_path / "data" / "isles"
    folder.mkdir(parents=True)  # an empty folder is as good as none
    options = ["--source", str(folder), "--download", "--mirror", f"{server.url}/", "--out"]
    assert main(source, [*options, f"{tmp_path}/one"]) == main(source, [*options, f"{tmp_path}/two"]) == 0
    said, errors = capfd.readouterr()
    assert server.paths == ["/files/a.zip"] and errors == "" and said.count("nothing is downloaded") == 1
    assert os.listdir(folder.parent) == ["isles"] and sorted(os.listdir(folder)) == ["evil", "tree"]
    assert sorted(os.listdir(tmp_path)) == ["data", "one", "tree", "two"]
    assert SliceSet.open(tmp_path / "one").card["sha256"] == SliceSet.open(tmp_path / "two").card["sha256"]


@pytest.mark.parametrize(
    ("name", "path", "what"),
    [
        ("soop", "/neurolabusc/StrokeOutcomeOptimizationProjectDemo/zip/ae553f8", "not hold the files of the pinned"),
        ("isles2022", "/records/7153326/files/ISLES-2022.zip?download=1", "does not match the known hash"),
    ],
)  # fmt: skip
def test_mirror_that_holds_something_else(tmp_path, server, capfd, name, path, what):
    server.body = zipped({"wrapped/PNG/rsub-1_lesion.nii.png": b"1"})
    options = ["--source", f"{tmp_path}/d/in", "--download", "--mirror", server.url]
    assert main(SOURCES[name], [*options, "--out", f"{tmp_path}/out"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert what in line and server.paths[0].startswith(path)
    assert os.listdir(tmp_path / "d") == [] and not (tmp_path / "out").exists()


GOOD = zipped({"a/b": b"1" * 9000})
ANSWERS = {  # what the server answers, words of the complaint
    "not found": ({"status": 404, "body": GOOD}, "404"),
    "broken connection": ({"body": GOOD, "sent": 20}, "cannot be had"),
    "no archive": ({"body": b"<html>"}, "not a zip file"),
    "flipped bit": ({"body": GOOD[:40] + bytes([GOOD[40] ^ 1]) + GOOD[41:]}, "cannot be had"),
    "too large": ({"body": zipped({"zeros": bytes(2 * 10**6)})}, "claims 2,000,000 bytes"),
    "no server": ({"url": "http://127.0.0.1:9"}, "cannot be had"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_nothing_is_left_of_a_bad_answer(tmp_path, server, monkeypatch, answer):
    behaviour, what = ANSWERS[answer]
    monkeypatch.setattr(module, "CAP", 10**6)
    vars(server).update(behaviour)
    with pytest.raises(BadInput, match=what):
        download(server.url, "a.zip", tmp_path / "top" / "in")
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "top"]


def test_contents_of_soop_are_compared_with_what_was_seen(tmp_path):
    total = hashlib.sha256()
    for number in (1, 4):
        soop_subject(tmp_path, number)
        for name in (f"PNG/rsub-{number}_lesion.nii.png", f"NIfTI/bwsrsub-{number}_lesion.nii.gz"):
            total.update(hashlib.sha256((tmp_path / name).read_bytes()).digest())
    check_commit(tmp_path, 0b10010, total.hexdigest())
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(BadInput, match="does not hold the files of the pinned commit"):
        check_commit(tmp_path, 0b10010, total.hexdigest())
