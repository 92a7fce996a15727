"""Trouble: what is tried again and again is logged when it begins to fail, and when it works again."""

from hardener.cluster import Log


class Trouble:
    """One thing that may fail; `reason` says why it does at the moment, and is empty where it works."""

    def __init__(self, log: Log, what: str, **fields: object) -> None:
        self.reason = ""
        self._log = log
        self._what = what
        self._fields = fields

    def begins(self, reason: str, error: BaseException | None = None) -> None:
        """It has failed; the same reason is told once."""
        if reason != self.reason:
            self._log.failure(f"{self._what} fails and is tried again", error, **self._fields, reason=reason)
        self.reason = reason

    def ends(self) -> None:
        """It has worked."""
        if self.reason:
            self._log.info(f"{self._what} works again", **self._fields)
        self.reason = ""
