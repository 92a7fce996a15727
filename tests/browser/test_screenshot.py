"""What the documentation shows of the report."""

import struct

from tests.browser.made_up import cluster
from tests.e2e.documents import ROOT

PICTURE = ROOT / "docs/report.png"
CLIP = {"x": 0, "y": 0, "width": 1280, "height": 1180}
LARGEST = 200_000
"""Bytes of a picture that everybody who clones the repository has to fetch."""


def test_the_documentation_shows_the_page(visit, request):
    taken = visit(cluster()).page.screenshot(clip=CLIP, full_page=True)
    if request.config.getoption("--write-docs"):
        PICTURE.write_bytes(taken)

    # Fonts differ between machines, so that the pictures themselves do as well.
    assert _size(PICTURE.read_bytes()) == _size(taken) == (CLIP["width"], CLIP["height"])
    assert PICTURE.stat().st_size < LARGEST


def _size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])
