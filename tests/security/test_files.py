"""Hostile files: pickles in model folders, archives that lie, names that lead out, pictures that explode."""

from __future__ import annotations

import io
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cogito_core.archives import MAX_MEMBER_BYTES, ArchiveError, read_array, read_member
from cogito_core.console import CogitoError
from cogito_core.images import MAX_DECODED_PIXELS, PictureError, open_picture, picture_size
from cogito_data.sources.archives import TarShelf
from cogito_data.sources.rows import BadRow, Row
from cogito_data.sources.shapes.files import check_readable, json_dict, json_lines, json_list, read_json
from cogito_eval.item import PicturePlaces


class Trap:
    """Unpickling it leaves a trace."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.path, "w"))


def test_a_model_folder_with_pickled_weights_is_refused_unopened(tmp_path: Path, repository: Path) -> None:
    import pickle

    from cogito_core.engines.transformers_engine import load_model

    folder = tmp_path / "model"
    shutil.copytree(repository / "cogito_nano" / "weights", folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(CogitoError, match="cannot be loaded"):
        load_model(folder, dtype="float32")
    assert not (tmp_path / "sprung").exists()


def test_code_in_a_model_folder_does_not_run(tmp_path: Path, repository: Path) -> None:
    """`auto_map` names classes of a file beside the weights: it is what trust_remote_code would run."""
    import json

    from cogito_core.engines.transformers_engine import load_model

    folder = tmp_path / "model"
    shutil.copytree(repository / "cogito_nano" / "weights", folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    model, _, _ = load_model(folder, dtype="float32")
    assert type(model).__module__.startswith("transformers.")
    assert not (tmp_path / "sprung").exists()


def _zip(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return path


def _claim(path: Path, size: int) -> None:
    """Overwrite what the first member claims to unpack to, in the central directory."""
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(data)


def test_a_member_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "bomb.zip", a=bytes(2_000_000))
    assert path.stat().st_size < 5000
    with zipfile.ZipFile(path) as archive:
        assert len(read_member(archive, "a")) == 2_000_000
        with pytest.raises(ArchiveError, match=r"bomb\.zip: 'a' would unpack to 2,000,000 bytes, more than 1,000"):
            read_member(archive, "a", limit=1000)
    _claim(path, 0xF0000000)
    with zipfile.ZipFile(path) as archive, pytest.raises(ArchiveError, match="would unpack to 4,026,531,840 bytes"):
        read_member(archive, "a")


def test_a_member_that_claims_less_than_it_holds_yields_no_more(tmp_path: Path) -> None:
    path = _zip(tmp_path / "liar.zip", a=bytes(2_000_000))
    _claim(path, 100)
    with zipfile.ZipFile(path) as archive, pytest.raises(ArchiveError, match="cannot be read"):
        read_member(archive, "a", limit=1000)


@pytest.mark.parametrize(("array", "order"), [
    (np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "C"),
    (np.arange(6.0).reshape(2, 3), "F"),
    (np.int64(5), "C"),
    (np.zeros((0, 4)), "C"),
])
def test_arrays_of_an_npz_are_those_of_numpy(tmp_path: Path, array: Any, order: Any) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.asarray(array, order=order))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        found = read_array(archive, "x")
    with np.load(tmp_path / "a.npz") as theirs:
        assert found.dtype == theirs["x"].dtype and np.array_equal(found, theirs["x"])


def test_an_array_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros((10, 10), dtype=np.uint8))
    data = stream.getvalue().replace(b"(10, 10)", b"(99, 99)")
    said = r"claims \(99, 99\) of uint8 but holds 100 bytes"
    with zipfile.ZipFile(_zip(tmp_path / "a.npz", x__npy=data)) as archive, pytest.raises(ArchiveError, match=said):
        read_array(archive, "x")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "a/../../secret.png", "..", "./../secret.png"])
def test_a_record_cannot_name_a_picture_outside_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "records").mkdir()
    with pytest.raises(ValueError, match="lies outside the folder of the records"):
        PicturePlaces(tmp_path / "records").of(name)


@pytest.mark.parametrize("name", ["a.png", "sub/../a.png", "./a.png", "..a.png"])
def test_names_inside_the_folder_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / name.rsplit("/", 1)[-1]).write_bytes(b"picture")
    assert PicturePlaces(tmp_path).of(name).read().bytes == b"picture"


def test_reading_a_zip_writes_nothing_whatever_its_members_are_called(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../escaped.png", "/tmp/escaped.png", "inside.png"):
            archive.writestr(name, b"picture")
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    places = PicturePlaces(tmp_path / "none", path)
    assert places.of("inside.png").read().bytes == b"picture"
    assert places.of("link.png").read().bytes == b"/etc/hostname"  # a link's target is only text
    assert sorted(tmp_path.iterdir()) == [path]


def _tar(path: Path, members: list[tarfile.TarInfo]) -> Callable[[], IO[bytes]]:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"picture") if member.size == 7 else None)
    return lambda: path.open("rb")


def _member(name: str, size: int = 7, **fields: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def _read_tar(opener: Callable[[], IO[bytes]], name: str) -> bytes:
    shelf = TarShelf(opener)
    (row,) = shelf.ordered(iter([Row("row 0", {"image": name})]), lambda row: [row.text("image")])
    return shelf.read(row, name)


def test_of_a_tar_only_plain_files_are_read_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret!")
    opener = _tar(tmp_path / "a.tar.gz", [
        _member("link.png", 0, type=tarfile.SYMTYPE, linkname=str(tmp_path / "secret.png")),
        _member("hard.png", 0, type=tarfile.LNKTYPE, linkname="../secret.png"),
        _member("../escaped.png"),
        _member("images/inside.png"),
    ])
    assert _read_tar(opener, "inside.png") == b"picture"
    for name in ("link.png", "hard.png"):
        with pytest.raises(FileNotFoundError):
            _read_tar(opener, name)
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.gz", "secret.png"}


def test_a_member_of_a_tar_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    opener = _tar(tmp_path / "a.tar.gz", [_member("bomb.png", MAX_MEMBER_BYTES + 1)])
    with pytest.raises(ArchiveError, match="'bomb.png' would unpack to 268,435,457 bytes"):
        _read_tar(opener, "bomb.png")


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    side = int(MAX_DECODED_PIXELS**0.5) + 1
    data = _png_header(side, side)
    assert picture_size(data, where="x") == (side, side)
    with pytest.raises(PictureError, match=f"x: the picture has {side} x {side} pixels, too many"):
        open_picture(data, where="x")


def test_a_text_chunk_that_explodes_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "0" * 80_000_000, zip=True)
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG", pnginfo=info)
    assert len(buffer.getvalue()) < 200_000
    with pytest.raises(PictureError, match="x: the picture cannot be decoded"):
        open_picture(buffer.getvalue(), where="x")


def test_postscript_is_no_picture() -> None:
    """For an EPS Pillow would start Ghostscript, which runs the program that an EPS is."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "EPS")
    assert Image.open(io.BytesIO(buffer.getvalue())).format == "EPS"
    for read in (open_picture, picture_size):
        with pytest.raises(PictureError, match="x: the picture cannot be"):
            read(buffer.getvalue(), where="x")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000"])
def test_the_usual_formats_are_read(form: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(buffer, form)
    assert open_picture(buffer.getvalue(), where="x").size == (40, 30)


DEEP = "[" * 100_000 + "]" * 100_000


def test_a_row_that_is_nested_too_deeply_is_one_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"id": 1}}\n{{"id": {DEEP}}}\n{{"id": 3}}\n')
    rows = list(json_lines(path))
    assert [row.get("id") for row in rows] == [1, None, 3]
    with pytest.raises(BadRow, match="row 1: the line is nested too deeply"):
        check_readable(rows[1])


@pytest.mark.parametrize(("text", "read"), [
    (DEEP, read_json),
    (DEEP, lambda path: list(json_list(path))),
    (f'{{"a": {DEEP}}}', lambda path: list(json_dict(path, "id"))),
], ids=["whole", "list", "object"])
def test_a_file_that_is_nested_too_deeply_is_one_sentence(tmp_path: Path, text: str, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(CogitoError, match=r"rows\.json is nested too deeply to be read"):
        read(path)
