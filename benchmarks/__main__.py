"""All benchmarks, one after the other: `python -m benchmarks`."""

from benchmarks import micro, webhook

micro.main()
print()
webhook.main()
