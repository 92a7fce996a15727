"""Names of images in full form, against the rules of github.com/distribution/reference, and patterns of such names."""

import re
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.policy.images import ImagePattern, full_name, pattern_mistake

DIGEST = "sha256:" + "0123456789abcdef" * 4

FULL_NAMES = [
    ("nginx", "docker.io/library/nginx:latest"),
    ("nginx:1.27", "docker.io/library/nginx:1.27"),
    (f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
    (f"nginx:1.27@{DIGEST}", f"docker.io/library/nginx:1.27@{DIGEST}"),
    ("library/nginx", "docker.io/library/nginx:latest"),
    ("istio/proxyv2:1.29", "docker.io/istio/proxyv2:1.29"),
    ("a/b/c", "docker.io/a/b/c:latest"),
    ("docker.io/nginx", "docker.io/library/nginx:latest"),
    ("docker.io/nginx:1", "docker.io/library/nginx:1"),
    ("docker.io/istio/proxyv2", "docker.io/istio/proxyv2:latest"),
    ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
    ("index.docker.io/istio/proxyv2:1", "docker.io/istio/proxyv2:1"),
    ("registry-1.docker.io/istio/proxyv2:1", "registry-1.docker.io/istio/proxyv2:1"),
    ("localhost/a", "localhost/a:latest"),
    ("localhost:5000/a", "localhost:5000/a:latest"),
    ("localhost:5000/a:1", "localhost:5000/a:1"),
    ("registry:5000/a/b", "registry:5000/a/b:latest"),
    ("127.0.0.1/a", "127.0.0.1/a:latest"),
    ("[::1]:5000/a", "[::1]:5000/a:latest"),
    (f"quay.io/a/b@{DIGEST}", f"quay.io/a/b@{DIGEST}"),
    # What is not in lower case can be no folder, and so is a registry; only docker.io itself is written in two ways.
    ("Registry/a", "Registry/a:latest"),
    ("LOCALHOST/a", "LOCALHOST/a:latest"),
    ("Docker.io/nginx", "Docker.io/nginx:latest"),
    # Without a slash, nothing is a registry.
    ("quay.io", "docker.io/library/quay.io:latest"),
    ("localhost:5000", "docker.io/library/localhost:5000"),
    ("localhost", "docker.io/library/localhost:latest"),
    # containerd looks for these among the images of the node.
    (DIGEST, DIGEST),
    ("sha256:0123", "sha256:0123"),
]

REFUSED = [
    ("proxyv2:*", "does not name its registry"),
    ("istio/proxyv2:*", "does not name its registry"),
    ("library/nginx:*", "does not name its registry"),
    ("*/istio/proxyv2:*", "does not name its registry"),
    ("*.io/istio/proxyv2:*", "does not name its registry"),
    ("docker.i?/istio/proxyv2:*", "does not name its registry"),
    ("registry.*.com:5000/a:*", "does not name its registry"),
    ("localhost:*/a:*", "does not name its registry"),
    ("registry:/a:*", "does not name its registry"),
    ("https://docker.io/istio/proxyv2:*", "does not name its registry"),
    (" docker.io/istio/proxyv2:*", "does not name its registry"),
    ("docker.io", "does not name its registry"),
    ("*", "does not name its registry"),
    ("", "does not name its registry"),
    ("index.docker.io/istio/proxyv2:*", "write docker.io/istio/proxyv2:*"),
    ("docker.io/nginx:*", "does not name the owner"),
    ("docker.io/*:*", "does not name the owner"),
    ("docker.io/*/proxyv2:*", "does not name the owner"),
    ("docker.io/istio?/proxyv2:*", "does not name the owner"),
    ("docker.io//proxyv2:*", "does not name the owner"),
    ("Docker.IO/*/proxyv2:*", "does not name the owner"),
    ("docker.io:443/*/proxyv2:*", "does not name the owner"),
    ("registry-1.docker.io/*/proxyv2:*", "does not name the owner"),
    ("registry.hub.docker.com/*/proxyv2:*", "does not name the owner"),
    ("ghcr.io/*/a:*", "does not name the owner"),
    ("quay.io/a:*", "does not name the owner"),
    ("public.ecr.aws/*/a:*", "does not name the owner"),
    ("registry.gitlab.com/*/a:*", "does not name the owner"),
    ("eu.gcr.io/*/a:*", "does not name the owner"),
    ("europe-docker.pkg.dev/*/a/b:*", "does not name the owner"),
    ("docker.io/istio/proxyv2", "names no tag: write docker.io/istio/proxyv2:* for every tag"),
    ("docker.io/istio/*", "names no tag: write docker.io/istio/*:* for every tag"),
    ("localhost:5000/a", "names no tag: write localhost:5000/a:* for every tag"),
    ("docker.io/istio/proxyv2:", "fits no image"),
    ("docker.io/istio/proxyv2@", "fits no image"),
    ("docker.io/istio/:*", "fits no image"),
    ("docker.io/istio//proxyv2:*", "fits no image"),
    ("docker.io/istio/Proxy:*", "fits no image"),
    ("docker.io/istio/proxyv2:* ", "fits no image"),
    ("docker.io/istio/proxyv2:1/*", "fits no image"),
    ("docker.io/istio/[a-z]:*", "fits no image"),
]

GOOD = [
    "docker.io/istio/proxyv2:*",
    "docker.io/library/nginx:1.?",
    "docker.io/istio/*:*",
    "docker.io/istio/*/proxyv2:*",
    "docker.io/istio/proxyv2@*",
    f"docker.io/istio/proxyv2:1@{DIGEST}",
    "localhost/a:*",
    "localhost:5000/a:*",
    "registry:5000/a/b:*",
    "[::1]:5000/a:*",
    "registry.example.com/*:*",
    "registry.example.com/*/proxy:*",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/*:*",
    "cr.l5d.io/linkerd/proxy:*",
]

FITS = [
    ("docker.io/istio/proxyv2:*", "istio/proxyv2"),
    ("docker.io/istio/proxyv2:*", "docker.io/istio/proxyv2:1.29.1-distroless"),
    ("docker.io/istio/proxyv2:*", "index.docker.io/istio/proxyv2:1"),
    ("docker.io/istio/proxyv2:*", f"istio/proxyv2:1@{DIGEST}"),
    ("docker.io/istio/proxyv2@*", f"istio/proxyv2@{DIGEST}"),
    ("docker.io/istio/*:1.?", "istio/pilot:1.9"),
    ("docker.io/library/nginx:*", "nginx"),
    ("localhost:5000/a:*", "localhost:5000/a"),
    ("[::1]:5000/a:*", "[::1]:5000/a:1"),
    ("registry.example.com/*/*-proxy:*", "registry.example.com/team/my-proxy:1"),
    ("registry.example.com/a*b*c:*", "registry.example.com/abbc:1"),
]

FITS_NOT = [
    # Another registry, another owner, another folder.
    ("docker.io/istio/proxyv2:*", "quay.io/istio/proxyv2:1"),
    ("docker.io/istio/proxyv2:*", "docker.io.example.com/istio/proxyv2:1"),
    ("docker.io/istio/proxyv2:*", "registry.example.com/docker.io/istio/proxyv2:1"),
    ("docker.io/istio/proxyv2:*", "DOCKER.IO/istio/proxyv2:1"),
    ("docker.io/istio/proxyv2:*", "docker.io:443/istio/proxyv2:1"),
    ("docker.io/istio/proxyv2:*", "istio/proxyv2/evil:1"),
    ("docker.io/istio/proxyv2:*", "istio/proxyv2-evil:1"),
    ("docker.io/istio/proxyv2:*", "evil/istio/proxyv2:1"),
    ("docker.io/istio/*:*", "istio/folder/proxyv2:1"),
    ("docker.io/istio/proxy??:*", "istio/proxy/2:1"),
    ("docker.io/istio/proxyv2:*", "istio/proxyv2:1/evil:2"),
    # What stands for the registry is no pattern.
    ("registry.example.com/a:*", "registryxexample.com/a:1"),
    # A tag is no part of the name, nor is a digest.
    ("registry.example.com/*proxy*:*", f"registry.example.com/evil:proxy@{DIGEST}"),
    ("registry.example.com/*:1*", f"registry.example.com/evil@sha256:1{DIGEST[8:]}"),
    ("registry.example.com/proxy?1:*", f"registry.example.com/proxy:1@{DIGEST}"),
    ("docker.io/istio/proxyv2:*", f"istio/proxyv2@{DIGEST}"),
    ("docker.io/istio/proxyv2:1.29", "istio/proxyv2"),
    ("docker.io/istio/proxyv2:1.29", "istio/proxyv2:1.290"),
    # An image of the node is not known by a name.
    ("docker.io/library/*:*", DIGEST),
]

IMAGES = st.from_regex(r"[a-zA-Z0-9.:/@_-]{0,20}", fullmatch=True) | st.lists(
    st.sampled_from(["docker.io", "index.docker.io", "localhost", "a", "A", "library", ":", "/", "@", ".", "sha256:"])
).map("".join)


@pytest.mark.parametrize(("image", "expected"), FULL_NAMES)
def test_a_name_is_written_in_full_as_the_runtimes_read_it(image, expected):
    assert full_name(image) == expected


@settings(deadline=None)
@given(st.text() | IMAGES)
def test_a_full_name_is_full(image):
    assert full_name(full_name(image)) == full_name(image)


@settings(deadline=None)
@given(IMAGES)
def test_the_old_name_of_docker_hub_is_in_no_full_name(image):
    assert not full_name(image).startswith("index.docker.io/")


@pytest.mark.parametrize(("pattern", "part"), REFUSED)
def test_a_pattern_that_could_mean_anybodys_image_or_none_is_refused(pattern, part):
    mistake = pattern_mistake(pattern)

    assert mistake is not None
    assert part in mistake


@pytest.mark.parametrize("pattern", GOOD)
def test_a_pattern_that_names_registry_owner_and_tag_is_taken(pattern):
    assert pattern_mistake(pattern) is None


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in [*FITS, *FITS_NOT]])
def test_the_patterns_of_this_file_are_good_ones(pattern):
    assert pattern_mistake(pattern) is None


@pytest.mark.parametrize(("pattern", "image"), FITS)
def test_a_pattern_fits_the_full_names_that_it_means(pattern, image):
    assert ImagePattern(pattern).fits(full_name(image))


@pytest.mark.parametrize(("pattern", "image"), FITS_NOT)
def test_a_pattern_fits_nothing_else(pattern, image):
    assert not ImagePattern(pattern).fits(full_name(image))


PARTS = st.text(alphabet="ab-*?", min_size=1, max_size=6)
PATTERNS = st.builds(
    lambda folders, tag: f"r.io/{'/'.join(folders)}:{tag}", st.lists(PARTS, min_size=1, max_size=3), PARTS
)
NAMES = st.text(alphabet="ab-:@/", max_size=12).map("r.io/".__add__)


def plain_regex(glob: str, end: str) -> str:
    """What a glob says, without a thought for time; `end` holds what no glob reaches across."""
    return re.escape(glob).replace(r"\*", f"[^{end}]*").replace(r"\?", f"[^{end}]")


@settings(deadline=None)
@given(PATTERNS, NAMES | PATTERNS)
def test_a_pattern_means_what_its_globs_say_and_never_crosses_a_slash(pattern, image):
    name, tag = pattern.split(":")

    fits = ImagePattern(pattern).fits(image)

    assert fits == bool(re.fullmatch(f"{plain_regex(name, '/:@')}:{plain_regex(tag, '/')}", image))
    assert not fits or image.count("/") == pattern.count("/")


@settings(deadline=None)
@given(PATTERNS)
def test_a_pattern_whose_globs_are_filled_in_fits(pattern):
    assert ImagePattern(pattern).fits(pattern.replace("*", "b-b").replace("?", "a"))


@pytest.mark.parametrize(
    ("pattern", "image"),
    [
        ("docker.io/istio/*proxy*:1*", "docker.io/istio/" + "proxy" * 200_000 + ":x"),
        ("docker.io/istio/*a*a*a*a*b:*", "docker.io/istio/" + "a" * 1_000_000),
        ("docker.io/istio/****x:*", "docker.io/istio/" + "a" * 1_000_000 + ":1"),
        ("docker.io/istio/proxyv2:*-*-*-*x", "docker.io/istio/proxyv2:" + "-" * 1_000_000),
    ],
)
def test_nobody_can_make_a_pattern_slow_by_a_long_name(pattern, image):
    started = perf_counter()

    assert not ImagePattern(pattern).fits(full_name(image))

    assert perf_counter() - started < 2
