import io
import json
import logging
from datetime import UTC, datetime

from hardener.server.log import FLUSH_LINES, MESSAGE_LENGTH, ForeignLines, Log
from tests.server.serving import POD, until

SECRET = "s3cr3t-value"


class Stream(io.BytesIO):
    """Counts writes."""

    writes = 0

    def write(self, data):
        self.writes += 1
        return super().write(data)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


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

    assert lines(stream)[0]["message"] == "'odd'"
    assert lines(stream)[0]["name"] == r"'\ud800'"


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
