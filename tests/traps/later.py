"""The traps of semantics.md 8 that no single request can show."""

LATER = {
    77: "the size of a body is the server's affair: tests/server sends bodies of 8 MiB, and larger ones that get a 413",
    78: "keep-alive is the server's affair: tests/server looks at how long an idle connection stays open",
}
"""Number to the reason, and to the place where it is shown instead."""
