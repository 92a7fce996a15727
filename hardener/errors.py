"""Everything that hardener raises on purpose.

HardenerError
├── ConfigError          a configuration file cannot be used            exit 2
├── ManifestError        a manifest cannot be read                      exit 2
├── EditError            a manifest cannot be edited where it stands    exit 2
├── MisfitError          an object is not shaped as the API server wants
├── CertificateError     a certificate or key cannot be used            exit 2
├── StartError           the server cannot start                        exit 2
├── QuantityError        a text is not a Kubernetes quantity
└── ReviewError          a request is not a usable AdmissionReview      HTTP 400
    ├── SlowBodyError    its body takes too long to arrive              HTTP 408
    ├── TooLargeError    its body is over the limit                     HTTP 413
    ├── MediaTypeError   its body is not JSON                           HTTP 415
    └── OverloadError    too many bytes are in flight                   HTTP 429

Each message says what is wrong, where, and what to do. What is not in this tree is a bug, and exits with 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WOULD_CHANGE = 1
BAD_INPUT = 2
INTERNAL = 3


def place(path: Sequence[str | int]) -> str:
    """A path of keys as people write it: `spec.containers[0].image`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


class HardenerError(Exception):
    """The root; `exit_code` is what a command ends with when this reaches it."""

    exit_code = BAD_INPUT


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: `line` counts from 1 and is 0 where no line can be named; `key` is dotted, as people write it."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(HardenerError):
    """A configuration that cannot be used; `problems` holds every mistake that was found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ManifestError(HardenerError):
    """A document that cannot be read as a Kubernetes object."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class EditError(HardenerError):
    """A file, or a document in it, that cannot be given its edits and stays as it is; `why` is the cause alone."""

    def __init__(self, problem: Problem, why: str) -> None:
        self.problem = problem
        self.why = why
        super().__init__(str(problem))


class MisfitError(HardenerError):
    """An object that is not shaped as the API server wants it; `path` leads from the object to what is wrong."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{place(path)}: {message}" if path else message)


class CertificateError(HardenerError):
    """A certificate or key file that is missing, unreadable, or does not fit its other half."""


class StartError(HardenerError):
    """The server cannot start as it was asked to."""


class QuantityError(HardenerError):
    """A text that is not a quantity as Kubernetes writes them, such as 64Mi or 50m."""


class ReviewError(HardenerError):
    """A request that holds no usable AdmissionReview; `status` is the HTTP status that answers it."""

    status = 400


class SlowBodyError(ReviewError):
    """The body took too long to arrive."""

    status = 408


class TooLargeError(ReviewError):
    """The body is over the limit."""

    status = 413


class HeadTooLargeError(ReviewError):
    """The request's line and headers are over the limit."""

    status = 431


class MediaTypeError(ReviewError):
    """The body is not declared as JSON."""

    status = 415


class OverloadError(ReviewError):
    """More bytes are in flight than memory was set aside for; the API server tries again."""

    status = 429
