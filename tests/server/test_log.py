import io
import json
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.server.log import FLUSH_LINES, FORMATS, MESSAGE_LENGTH, Entry, ForeignLines, Log, console_line
from tests.server.serving import POD, until

SECRET = "s3cr3t-value"
CONSOLE_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (debug|info|warning|error) +(\S.*)\n")
PAIR = re.compile(r'([\w-]+)=("(?:[^"\\]|\\.)*"|[^\s"]+)')


class Stream(io.BytesIO):
    """Counts writes."""

    writes = 0

    def write(self, data):
        self.writes += 1
        return super().write(data)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def console(message="told", level="info", **fields):
    """What stands after time and level on the console."""
    line = console_line(Entry(datetime.now(UTC), level, message, fields)).decode()
    match = CONSOLE_LINE.fullmatch(line)
    assert match, line
    assert match[1] == level
    return match[2]


def record(message, *arguments, level=logging.WARNING, error=None):
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("aiohttp.server", level, "file.py", 1, message, arguments, exc_info)


async def test_lines_that_come_close_together_are_written_in_one_go():
    stream = Stream()
    log = Log(stream)
    for number in range(10):
        log.info("line", number=number)
    assert stream.writes == 0
    await until(lambda: stream.writes)

    assert stream.writes == 1
    assert [line["number"] for line in lines(stream)] == list(range(10))


async def test_many_lines_wait_for_nothing():
    stream = Stream()
    log = Log(stream)
    for number in range(FLUSH_LINES):
        log.info("line", number=number)

    assert stream.writes == 1
    assert len(lines(stream)) == FLUSH_LINES


def test_without_a_loop_a_line_is_written_at_once():
    stream = Stream()
    Log(stream).warning("early")
    (line,) = lines(stream)

    assert line["level"] == "warning"
    assert line["message"] == "early"
    assert abs(datetime.fromisoformat(line["time"]) - datetime.now(UTC)).total_seconds() < 10


def test_a_line_stays_one_line_whatever_it_holds():
    stream = Stream()
    Log(stream).info("a\nb", text="c\r\n\x1b[31m", other={1, 2})

    assert stream.getvalue().count(b"\n") == 1
    assert lines(stream)[0]["text"] == "c\r\n\x1b[31m"


def test_text_that_is_no_unicode_still_makes_a_line():
    stream = Stream()
    Log(stream).info("odd", name="\ud800")

    (line,) = lines(stream)
    assert line["message"] == "'odd'"
    assert line["name"] == r"'\ud800'"
    assert line["level"] == "info"
    assert datetime.fromisoformat(line["time"]).tzinfo is UTC


@pytest.mark.parametrize("form", FORMATS)
def test_a_debug_line_is_written_only_where_it_is_wanted(form):
    quiet, talkative = Stream(), Stream()
    for log in (Log(quiet, FORMATS[form]), Log(talkative, FORMATS[form], debugs=True)):
        log.debug("detail", number=1)
        log.write("debug", "detail", {"number": 2})

    assert quiet.getvalue() == b""
    assert talkative.getvalue().count(b"\n") == 2
    assert b"debug" in talkative.getvalue()


def test_who_makes_the_fields_of_a_debug_line_can_ask_whether_it_is_wanted():
    assert Log(Stream(), debugs=True).debugs
    assert not Log(Stream()).debugs


async def test_lines_for_the_console_are_kept_and_written_together_as_well():
    stream = Stream()
    log = Log(stream, console_line)
    log.info("first")
    log.warning("second")
    assert stream.writes == 0
    log.flush()

    assert stream.writes == 1
    assert [match.groups() for match in CONSOLE_LINE.finditer(stream.getvalue().decode())] == [
        ("info", "first"),
        ("warning", "second"),
    ]


def test_the_console_shows_words_as_they_are_and_the_rest_as_json():
    shown = console(
        "reviewed",
        uid="u-1",
        name="café",
        reason="it is privileged",
        empty="",
        said='"yes"',
        assignment="a=b",
        trace=["a b", "c"],
        seconds=0.25,
        dryRun=True,
        nothing=None,
        file=Path("/etc/hardener.yaml"),
    )

    assert shown == (
        'reviewed uid=u-1 name=café reason="it is privileged" empty="" said="\\"yes\\"" assignment="a=b" '
        'trace=["a b","c"] seconds=0.25 dryRun=true nothing=null file=/etc/hardener.yaml'
    )


def test_the_time_on_the_console_is_that_of_the_place(monkeypatch):
    monkeypatch.setenv("TZ", "XYZ-05:30")
    time.tzset()
    try:
        line = console_line(Entry(datetime(2026, 1, 31, 23, 59, 59, 987654, tzinfo=UTC), "warning", "late", {}))
    finally:
        monkeypatch.undo()
        time.tzset()

    assert line == b"2026-02-01 05:29:59.987+05:30 warning late\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r'"a\nb"'),
        ("\x1b[31m", r'"\u001b[31m"'),
        ("\x7f", r'"\u007f"'),
        ("\x9b2J", r'"\u009b2J"'),
        ("\u202egnp.exe", r'"\u202egnp.exe"'),
        ("\u2028", r'"\u2028"'),
        ("no-break\xa0space", r'"no-break\u00a0space"'),
        ("\U000e0041", r'"\udb40\udc41"'),
    ],
)
def test_nothing_that_a_terminal_would_obey_comes_to_the_console(text, shown):
    assert console(text, value=text, values=[text]) == f"{shown} value={shown} values=[{shown}]"


@given(st.text(), st.dictionaries(st.sampled_from(["uid", "opt-out", "name"]), st.text()))
def test_whatever_the_texts_are_the_console_gets_one_printable_line_from_which_they_can_be_read(message, fields):
    (line, rest) = console_line(Entry(datetime.now(UTC), "info", message, fields)).decode().split("\n")
    assert rest == ""
    assert line.isprintable()

    rest = line.partition("info    ")[2]
    if message.isprintable():
        assert rest.startswith(message)
        rest = rest[len(message) :]
    else:
        shown, end = json.JSONDecoder().raw_decode(rest)
        assert shown == message
        rest = rest[end:]
    read = {key: json.loads(text) if text[0] == '"' else text for key, text in PAIR.findall(rest)}
    assert read == fields


def test_a_value_that_is_no_unicode_still_makes_a_line_on_the_console():
    assert console("odd", name="\ud800") == r"'odd' name='\ud800'"


def test_an_exception_on_the_console_is_one_line():
    stream = Stream()
    Log(stream, console_line).failure("it failed", ValueError("first\nsecond"))

    assert stream.getvalue().endswith(b' error   it failed error="ValueError: first\\nsecond" trace=[]\n')


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_tells_the_same(form):
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(microseconds=123000)
    text = FORMATS[form](Entry(moment, "error", "told", {"uid": "u-1", "count": 3})).decode()

    assert text.endswith("\n")
    assert all(part in text for part in ("error", "told", "uid", "u-1", "count", "3", ".123"))


def test_a_reader_that_has_gone_does_not_stop_anything():
    stream = Stream()
    log = Log(stream)
    stream.close()
    log.info("nobody reads this")

    assert stream.closed


def test_an_exception_is_told_by_type_text_and_place():
    stream = Stream()
    try:
        {}["x" * 10_000]
    except KeyError as error:
        Log(stream).failure("it failed", error)
    (line,) = lines(stream)

    assert line["level"] == "error"
    assert line["error"].startswith("KeyError: 'xxx")
    assert len(line["error"]) == MESSAGE_LENGTH
    assert line["trace"][0].endswith("test_an_exception_is_told_by_type_text_and_place")


def test_what_libraries_log_goes_into_the_same_log():
    stream = Stream()
    handler = ForeignLines(Log(stream))
    handler.handle(record("%s happened", "this", level=logging.ERROR, error=OSError("why")))

    assert lines(stream)[0] | {"time": ""} == {
        "time": "",
        "level": "error",
        "message": "this happened",
        "logger": "aiohttp.server",
        "error": "OSError: why",
        "trace": [],
    }


def test_a_flood_of_foreign_lines_is_bounded_and_counted():
    stream = Stream()
    handler = ForeignLines(Log(stream))
    for _ in range(100):
        handler.handle(record("noise"))
    assert len(lines(stream)) == handler.LINES
    handler.WINDOW_SECONDS = 0.0
    handler._until = 0.0
    handler.handle(record("later"))

    assert [line["message"] for line in lines(stream)[-2:]] == ["lines of libraries were left out", "later"]
    assert lines(stream)[-2]["count"] == 80


async def test_a_change_is_one_line_with_names_and_decisions_and_nothing_else_of_the_pod(webhook):
    environment = [{"name": "PASSWORD", "value": SECRET}]
    pod = {**POD, "spec": {"containers": [{"name": "app", "image": "x:1", "env": environment, "command": [SECRET]}]}}
    await webhook.ask(uid="u-1", pod=pod, dryRun=True)
    (line,) = webhook.logged("reviewed")

    assert {key: line[key] for key in ("level", "uid", "result", "namespace", "name", "dryRun", "mode")} == {
        "level": "info",
        "uid": "u-1",
        "result": "patched",
        "namespace": "shop",
        "name": "web",
        "dryRun": True,
        "mode": "enforce",
    }
    assert "runAsNonRoot" in line["applied"]
    assert line["policy"].startswith("standard@")
    assert 0 < line["seconds"] < 5
    assert SECRET not in json.dumps(webhook.lines())


async def test_what_changes_nothing_makes_no_line(webhook):
    await webhook.ask(namespace="kube-system")
    await webhook.ask(operation="UPDATE")

    assert webhook.logged("reviewed") == []


async def test_a_refused_opt_out_makes_a_warning(webhook):
    metadata = {"name": "web", "annotations": {"hardener.dev/opt-out": "runAsNonRot"}}
    await webhook.ask(pod={**POD, "metadata": metadata})
    (line,) = webhook.logged("reviewed")

    assert line["level"] == "warning"
    assert "runAsNonRot" in line["opt-out"]


async def test_an_object_that_is_no_pod_makes_a_warning_with_the_reason(webhook):
    await webhook.ask(pod={"spec": {"containers": 7}})
    (line,) = webhook.logged("reviewed")

    assert (line["level"], line["result"]) == ("warning", "misfit")
    assert "containers" in line["reason"]
