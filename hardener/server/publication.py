"""Publication: the caBundles of the webhook configurations, by which API servers know whom to trust."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from hardener.cluster import Log
from hardener.cluster.api_server import ApiError
from hardener.cluster.tls_objects import Registered, WebhookConfiguration
from hardener.server.trouble import Trouble
from hardener.tls.clocks import Now
from hardener.tls.trust import named, published


class Publication:
    """Several webhook configurations, and since when each authority has stood in all of them.

    One that is not there needs no trust: nobody calls. `clock` gives seconds that only rise; `settle_seconds` is how
    long an authority must have been seen in all of them before every API server certainly has it, however slow.
    `repairs` counts the writes.
    """

    def __init__(
        self,
        configurations: Sequence[WebhookConfiguration],
        settle_seconds: float,
        clock: Callable[[], float],
        log: Log,
    ) -> None:
        self.repairs = 0
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._log = log
        self._troubles = {
            each: Trouble(log, f"keeping the {each.kind} webhook configuration", name=each.object.name)
            for each in configurations
        }
        self._found: dict[WebhookConfiguration, Registered] = {}
        self._is_read = False
        self._since: dict[bytes, float] = {}

    @property
    def reasons(self) -> list[str]:
        """Why it fails at the moment."""
        return [trouble.reason for trouble in self._troubles.values() if trouble.reason]

    async def look(self) -> None:
        """Read all configurations."""
        self._found, self._is_read = {}, True
        for configuration, trouble in self._troubles.items():
            try:
                found = await configuration.read()
            except ApiError as error:
                trouble.begins(str(error))
                self._is_read = False
            else:
                if found is None:
                    trouble.ends()
                else:
                    self._found[configuration] = found

    def settled(self, authorities: bytes, now: Now) -> frozenset[bytes]:
        """Those of the authorities, each a PEM, that have been in all configurations for long enough, as last seen."""
        if not self._is_read:
            return frozenset()
        standing = named(authorities, now)
        for bundle in self._bundles():
            standing &= named(bundle, now)
        moment = self._clock()
        self._since = {each: self._since.get(each, moment) for each in standing}
        return frozenset(each for each, since in self._since.items() if moment - since >= self._settle_seconds)

    async def publish(self, authorities: bytes, now: Now) -> bool:
        """See to it that the authorities stand in all configurations; False where that has to be tried again."""
        is_done = self._is_read
        for configuration, found in self._found.items():
            wanted = {name: published(bundle, authorities, now) for name, bundle in found.bundles.items()}
            amiss = {name: bundle for name, bundle in wanted.items() if bundle != found.bundles[name]}
            try:
                # Nothing is known to trust where the Secret has never been read.
                is_written = not (amiss and authorities) or await self._write(configuration, found, amiss)
            except ApiError as error:
                self._troubles[configuration].begins(str(error))
                is_done = False
            else:
                self._troubles[configuration].ends()
                is_done &= is_written
        return is_done

    async def _write(
        self, configuration: WebhookConfiguration, found: Registered, bundles: Mapping[str, bytes]
    ) -> bool:
        is_written = await configuration.write(found, bundles)
        if is_written:
            self.repairs += 1
            name = f"{configuration.kind}/{configuration.object.name}"
            self._log.info("the caBundle was written", configuration=name, webhooks=sorted(bundles))
        return is_written

    def _bundles(self) -> Iterable[bytes]:
        return (bundle for found in self._found.values() for bundle in found.bundles.values())
