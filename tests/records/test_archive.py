"""Archives are read as streams, and nothing they say of themselves is believed."""

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest

from unaji.errors import InputError
from unaji.records import archive
from unaji.records.detect import sources
from unaji.records.problems import ProblemLog
from unaji.records.source import HEAD_BYTES, Source


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w", method) as file:
        warnings.simplefilter("ignore")  # of names that occur twice
        for name, content in members.items():
            file.writestr(name.removesuffix("#"), content)
    return data.getvalue()


def read(path: Path, data: bytes, on_read=None) -> tuple[dict[str, bytes], list[str]]:
    path.write_bytes(data)
    log = ProblemLog()
    found = {}
    for source in sources(path, log, on_read=on_read):
        try:
            found[source.name] = source.load()
        except InputError as error:
            log.reject(source.name, None, "", str(error))
    return found, [str(problem) for problem in log.problems()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "export.zip"


def test_files_come_with_their_beginning_size_and_content_again_and_again(path):
    content = bytes(range(256)) * 1000
    path.write_bytes(zipped({"a/b.bin": content}))
    (source,) = sources(path, ProblemLog())
    assert (source.name, source.folder, source.base_name) == ("export.zip/a/b.bin", "export.zip/a", "b.bin")
    assert (source.head, source.size) == (content[:HEAD_BYTES], len(content))
    with source.open() as one, source.open() as other:
        assert one.read(10) + other.read(10) == content[:10] * 2
        one.seek(5)
        assert (one.tell(), one.read()) == (5, content[5:])
    assert source.load() == content


@pytest.mark.parametrize(
    "name", ["/etc/a.csv", "../a.csv", "a/../../a.csv", "C:a.csv", "a\\b.csv", "/".join("abcdefghi") + ".csv"]
)
def test_a_name_that_leads_elsewhere_is_refused_and_the_rest_read(path, name):
    found, problems = read(path, zipped({name: b"x", "fine.csv": b"y"}))
    assert found == {"export.zip/fine.csv": b"y"}
    assert len(problems) == 1
    assert "the file's name leads out of the archive" in problems[0]


def test_a_name_with_a_nul_is_refused(path):
    data = zipped({"a_b.csv": b"x"}).replace(b"a_b.csv", b"a\0b.csv")
    found, problems = read(path, data)
    assert found == {}
    assert len(problems) == 1


def test_a_link_is_refused(path):
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(link, "/etc/passwd")
    assert read(path, path.read_bytes())[0] == {}


def test_of_two_names_that_differ_in_case_or_composition_only_the_first_is_read(path):
    members = {"Für.csv": b"1", "für.csv": b"2", "Fu\u0308r.csv": b"3", "für.csv#": b"4"}
    found, problems = read(path, zipped(members))
    assert found == {"export.zip/Für.csv": b"1"}
    assert sum("a file of this name was in the archive before" in problem for problem in problems) == 3


def test_what_an_operating_system_adds_is_passed_over(path):
    members = {"__MACOSX/._a.xml": b"x", "._a.xml": b"x", ".DS_Store": b"x", "a/.hidden/b": b"x", "a.xml": b"y"}
    assert read(path, zipped(members)) == ({"export.zip/a.xml": b"y"}, [])


def test_a_japanese_name_without_a_mark_of_its_encoding_is_shown_as_such(path):
    data = zipped({"XXXX.csv": b"x"}).replace(b"XXXX", "心拍".encode("cp932"))
    assert list(read(path, data)[0]) == ["export.zip/心拍.csv"]


def test_archives_in_an_archive_are_looked_into_once(path):
    innermost = zipped({"c.csv": b"c"})
    inner = zipped({"b.csv": b"b", "deep.zip": innermost})
    found, problems = read(path, zipped({"a.csv": b"a", "in.zip": inner}))
    assert found == {"export.zip/a.csv": b"a", "export.zip/in.zip/b.csv": b"b"}
    assert problems == [
        "export.zip/in.zip/deep.zip: an archive in an archive in an archive is not looked into; unpack it first"
    ]


def test_an_encrypted_file_and_ways_of_packing_that_are_not_read_are_named(path):
    plain = zipped({"a.csv": b"x" * 100})
    central = plain.index(b"PK\x01\x02")

    def patched(offset: int, value: int) -> bytes:
        data = bytearray(plain)
        struct.pack_into("<H", data, central + offset, value)
        return bytes(data)

    assert "the file is encrypted" in read(path, patched(8, 1))[1][0]
    assert "packed with Deflate64" in read(path, patched(10, 9))[1][0]
    assert "packed in a way that is not read (method 98)" in read(path, patched(10, 98))[1][0]


def test_a_bomb_is_refused_by_what_it_declares(path, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FROM", 100_000)
    zeros = zipped({"a.csv": bytes(10_000_000)})
    assert read(path, zeros) == (
        {}, ["export.zip: found '1': the archive unpacks to far more than its size; it was not read"],
    )  # fmt: skip
    hidden = zipped({"a.csv": bytes(10_000_000), "b.csv": random.Random(1).randbytes(200_000)})
    found, problems = read(path, hidden)
    assert list(found) == ["export.zip/b.csv"]
    assert problems == ["export.zip/a.csv: the file unpacks to far more than its size; it was not read"]


def test_a_size_that_lies_is_found_out_while_reading(path):
    data = bytearray(zipped({"a.csv": bytes(1_000_000)}))
    for magic, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", data, data.index(magic) + offset, 1000)
    found, problems = read(path, bytes(data))
    assert found == {}
    assert "the file in the archive is damaged" in problems[0]


def test_an_archive_that_lost_its_beginning_is_damaged(path):
    data = zipped({"a.csv": b"a,b\n" * 100, "b.csv": b"c"})
    found, problems = read(path, data[:4] + data[41:])
    assert "export.zip/a.csv" not in found
    assert problems
    assert all("download or export it again" in problem for problem in problems)


def test_overlapping_files_are_refused(path):
    data = bytearray(zipped({"a.csv": b"x" * 1000, "b.csv": b"x" * 1000}, method=zipfile.ZIP_STORED))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", data, second + 42, 40)  # where b.csv begins, inside a.csv
    found, problems = read(path, bytes(data))
    assert found == {}
    assert "overlap" in problems[0] or "damaged" in problems[0]


def test_a_name_that_is_no_text_where_the_file_lies_is_damage(path):
    data = bytearray(zipped({"é.csv": b"x"}))
    data[data.index("é".encode())] = 0xFF  # in the local header, which comes first
    found, problems = read(path, bytes(data))
    assert found == {}
    assert "the file in the archive is damaged" in problems[0]


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MOST_MEMBERS", 1, "the archive holds more than 1 files"),
        ("LARGEST_TOTAL", 3, "the archive unpacks to more than 0 GB"),
        ("LARGEST_MEMBER", 2, "the file is larger than 0 GB"),
        ("LARGEST_INNER_ARCHIVE", 2, "the archive in the archive is too large"),
    ],
)
def test_each_limit_is_kept(path, monkeypatch, limit, value, said):
    monkeypatch.setattr(archive, limit, value)
    inner = zipped({"c.csv": b"c"})
    _, problems = read(path, zipped({"a.csv": b"abc", "in.zip": inner}))
    assert any(said in problem for problem in problems)


def test_archives_as_phones_write_them_are_read(path):
    """Written to a stream that cannot go back: sizes follow the data, and are 64 bits wide."""

    class Forward(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.data += data
            return len(data)

    stream = Forward()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.csv", "w", force_zip64=True) as a:
        a.write(b"time,hr_bpm\n" * 50)
    assert read(path, bytes(stream.data)) == ({"export.zip/a.csv": b"time,hr_bpm\n" * 50}, [])


def test_reading_tells_of_packed_bytes(path):
    told = []
    data = zipped({"a.bin": random.Random(2).randbytes(500_000), "b.bin": bytes(500_000)})
    read(path, data, told.append)
    assert sum(told) == pytest.approx(len(data), rel=0.01)


def test_a_large_file_passes_through_little_memory(path):
    line = b"2024-05-01T08:00:00,60\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.csv", "w") as a:
        for i in range(40):
            a.write(line * 40_000 + random.Random(i).randbytes(400_000))
    (source,) = sources(path, ProblemLog())
    tracemalloc.start()
    with source.open() as opened:
        total = sum(len(block) for block in iter(lambda: opened.read(1 << 20), b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == source.size > 50_000_000
    assert peak < 8_000_000


def test_spoilt_archives_never_crash_and_never_hang(path):
    rng = random.Random(7)
    whole = zipped({"a/EDA.csv": b"1646305200.0\n4.0\n0.0\n0.41\n" * 50, "in.zip": zipped({"b.csv": b"x" * 500})})
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] ^= 1 << rng.randrange(8)
                case 1:
                    del data[at:]
                case 2:
                    del data[at : at + rng.randrange(50)]
                case _:
                    data[at:at] = data[at : at + rng.randrange(50)]
            data = data or bytearray(b"P")
        began = time.process_time()
        read(path, bytes(data))
        assert time.process_time() - began < 2


def test_a_source_made_of_bytes_is_one_too():
    source = Source("x", b"abc", lambda: io.BytesIO(b"abcdef"), 6)
    assert (source.head, source.load(), source.folder) == (b"abc", b"abcdef", "")
