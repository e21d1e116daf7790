"""The archive: whole files or none, in a folder and in a bucket, and sentences without secrets."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from activities.archive import Archive, ArchiveError, NotArchived
from tests.support.sqs import REGION
from worker.archive_settings import ArchiveSettings
from worker.archiving import check_archive, open_archive
from worker.settings import ConfigurationError


@pytest.fixture(params=["folder", "bucket"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    if request.param == "folder":
        yield Archive(str(tmp_path / "archive"))
        return
    endpoint: str = request.getfixturevalue("sqs")  # moto has S3 too
    bucket = Archive(f"s3://archive-{uuid4().hex}/o2c", {"endpoint_url": endpoint})
    bucket._fs.mkdir(bucket._root.partition("/")[0], region_name=REGION)
    yield bucket


def test_what_is_written_is_read_and_listed(archive: Archive, tmp_path: Path) -> None:
    archive.write("imports/a/chunks/000002.jsonl", b"two")
    archive.write("imports/a/chunks/000001.jsonl", b"one")
    (tmp_path / "input").write_bytes(b"x" * 3_000_000)
    archive.upload(tmp_path / "input", "imports/a/input")
    archive.download("imports/a/input", tmp_path / "output")
    assert (tmp_path / "output").read_bytes() == b"x" * 3_000_000
    assert archive.read("imports/a/chunks/000001.jsonl") == b"one"
    assert archive.keys("imports/a/chunks") == (
        "imports/a/chunks/000001.jsonl",
        "imports/a/chunks/000002.jsonl",
    )
    assert (archive.size("imports/a/input"), archive.size("imports/b/input")) == (3_000_000, None)
    archive.write("imports/a/chunks/000001.jsonl", b"another")
    assert archive.read("imports/a/chunks/000001.jsonl") == b"another"
    archive.remove("imports/a/chunks")
    archive.remove("imports/a/chunks")
    assert archive.keys("imports") == ("imports/a/input",)


def test_what_is_not_there_is_said(archive: Archive, tmp_path: Path) -> None:
    for look in (archive.read, lambda key: archive.download(key, tmp_path / "none")):
        with pytest.raises(NotArchived, match="has no imports/none"):
            look("imports/none")
    assert archive.keys("imports") == ()


def test_what_is_old_is_pruned(archive: Archive) -> None:
    archive.write("imports/a/input", b"old")
    archive.write("unknown/b", b"elsewhere")
    assert archive.prune("imports", datetime.now(UTC) - timedelta(days=1)) == 0
    assert archive.prune("imports", datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert archive.keys("imports") == ()
    assert archive.read("unknown/b") == b"elsewhere"


def test_a_write_that_ends_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path / "archive"))
    archive.write("a/input", b"first")

    def dies(stream: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        archive._put("a/input", dies)
    assert archive.read("a/input") == b"first"
    assert archive.keys("a") == ("a/input",)
    (tmp_path / "archive" / "a" / "input.unfinished-1").write_bytes(b"of a process that was killed")
    assert archive.keys("a") == ("a/input",)


def test_nobody_else_reads_the_folder(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path / "new" / "archive"))
    archive.write("imports/a/input", b"")
    assert os.stat(tmp_path / "new" / "archive").st_mode & 0o077 == 0


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd", ""])
def test_a_key_stays_in_the_archive(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        Archive(str(tmp_path)).write(key, b"")


def test_a_store_that_does_not_answer_is_said_without_its_secret() -> None:
    options = {
        "endpoint_url": "http://127.0.0.1:1",
        "key": "name",
        "secret": "very-secret",
        "config_kwargs": {"retries": {"max_attempts": 0}},
    }
    with pytest.raises(
        ArchiveError, match=r"input could not be written in the archive s3://bucket/o2c"
    ) as raised:
        Archive("s3://bucket/o2c", options).write("imports/a/input", b"x")
    assert "very-secret" not in str(raised.value)


def test_an_unknown_store_is_said_without_its_password() -> None:
    with pytest.raises(ArchiveError, match="cannot be used") as raised:
        Archive("nosuch://user:very-secret@host/path")
    assert "very-secret" not in str(raised.value)


def test_the_doctor_tries_the_archive(tmp_path: Path) -> None:
    good = check_archive(ArchiveSettings(url=str(tmp_path / "archive")))
    assert (good.ok, Archive(str(tmp_path / "archive")).keys("doctor")) == (True, ())
    (tmp_path / "file").write_text("no folder")
    bad = check_archive(ArchiveSettings(url=str(tmp_path / "file" / "archive")))
    assert not bad.ok
    assert "could not be written" in bad.sentence


def test_options_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = ArchiveSettings(url="s3://bucket/o2c", options_from="ARCHIVE_OPTIONS")
    for text, says in (("", "needed and not set"), ("[]", "no JSON object"), ("{", "no JSON object")):
        monkeypatch.setenv("ARCHIVE_OPTIONS", text)
        with pytest.raises(ConfigurationError, match=says):
            open_archive(settings)
    monkeypatch.setenv("ARCHIVE_OPTIONS", '{"key": "name", "secret": "very-secret"}')
    assert open_archive(settings).where == "s3://bucket/o2c"
