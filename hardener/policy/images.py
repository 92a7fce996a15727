"""Names of images in full form, and patterns of such names."""

import re

DOCKER_HUB = "docker.io"
_OLD_DOCKER_HUB = "index.docker.io"
_OFFICIAL = "library/"
_DEFAULT_TAG = ":latest"
_IMAGE_ID = "sha256:"

_PUBLIC_REGISTRIES = (
    DOCKER_HUB,
    "gcr.io",
    "ghcr.io",
    "pkg.dev",
    "public.ecr.aws",
    "quay.io",
    "registry.gitlab.com",
    "registry.hub.docker.com",
)
"""Registries, with the hosts below them, whose folders belong to whoever came first."""

_GLOBS = frozenset("*?")
_REGISTRY = re.compile(
    r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:)|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
)
_NAME_AND_TAG = re.compile(
    r"(?P<name>[a-z0-9._*?-]+(?:/[a-z0-9._*?-]+)*)(?P<tag>(?::[\w.*?-]+)?(?:@[\w.+:*?-]+)?)", re.ASCII
)
_IN_NAME = "[^/:@]"
_IN_TAG = "[^/]"


def full_name(image: str) -> str:
    """Write an image's name as containerd and Docker read it: `nginx` is `docker.io/library/nginx:latest`.

    Source: `splitDockerDomain` and `TagNameOnly` in github.com/distribution/reference. An image ID has no other form:
    containerd looks for it on the node, and in no registry (`LocalResolve` in its internal/cri/server/images). CRI-O asks
    the registries of its own `unqualified-search-registries` for a name without one, which nobody but the node knows.
    """
    if image.startswith(_IMAGE_ID):
        return image
    registry, slash, rest = image.partition("/")
    if not slash or not _is_registry(registry):
        registry, rest = DOCKER_HUB, image
    if registry == _OLD_DOCKER_HUB:
        registry = DOCKER_HUB
    if registry == DOCKER_HUB and "/" not in rest:
        rest = _OFFICIAL + rest
    has_tag = "@" in rest or ":" in rest.rpartition("/")[2]
    return f"{registry}/{rest}" if has_tag else f"{registry}/{rest}{_DEFAULT_TAG}"


def _is_registry(first: str) -> bool:
    """Tell a registry from the first folder of a name on Docker Hub."""
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def pattern_mistake(pattern: str) -> str | None:
    """Say what is wrong with a pattern of images, which must name its registry literally, or None."""
    registry, slash, rest = pattern.partition("/")
    if not slash or not _REGISTRY.fullmatch(registry):
        return (
            f"{pattern!r} does not name its registry, and anyone can push an image of that name to another one: "
            f"write it in full, such as {DOCKER_HUB}/istio/proxyv2:*"
        )
    if registry == _OLD_DOCKER_HUB:
        return f"{_OLD_DOCKER_HUB} is the old name of {DOCKER_HUB}: write {DOCKER_HUB}/{rest}"
    owner, has_owner, _ = rest.partition("/")
    if _is_public(registry) and not (has_owner and owner and _GLOBS.isdisjoint(owner)):
        return f"{pattern!r} does not name the owner, and anyone can have a folder on {registry}"
    match = _NAME_AND_TAG.fullmatch(rest)
    if match is None:
        return (
            f"{pattern!r} fits no image: after the registry, write folders and name in lower case, then : and a tag or "
            "@ and a digest"
        )
    return None if match["tag"] else f"{pattern!r} names no tag: write {pattern}:* for every tag"


def _is_public(registry: str) -> bool:
    """Hosts are the same in any case and at any port."""
    host = registry.lower().partition(":")[0]
    return any(host == public or host.endswith(f".{public}") for public in _PUBLIC_REGISTRIES)


class ImagePattern:
    """A pattern in which `pattern_mistake` finds nothing.

    `*` stands for any text within one folder, within the image's own name, or within tag and digest together, and `?` for
    one character of it: a tag cannot pass for a part of the name, which everybody chooses who may push to the folder.
    """

    __slots__ = ("_regex", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        registry, _, rest = text.partition("/")
        match = _NAME_AND_TAG.fullmatch(rest)
        name, tag = (match["name"], match["tag"]) if match is not None else (rest, "")
        folders = "/".join(_regex(part, _IN_NAME) for part in name.split("/"))
        self._regex = re.compile(f"{re.escape(registry)}/{folders}{_regex(tag, _IN_TAG)}")

    def fits(self, full: str) -> bool:
        """Say whether an image's full name is one of those meant, in time that grows with its length and no faster."""
        return self._regex.fullmatch(full) is not None


def _regex(glob: str, one: str) -> str:
    """A regular expression for a glob; `one` stands for one character.

    What stands between two stars is taken where it is found first, and never looked for again: whoever makes pods chooses
    their images, and would otherwise choose how long that takes.
    """
    first, *others = ("".join(one if each == "?" else re.escape(each) for each in part) for part in glob.split("*"))
    if not others:
        return first
    *between, last = others
    return f"{first}{''.join(f'(?>{one}*?{part})' for part in between)}{one}*{last}"
