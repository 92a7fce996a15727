"""Exemptions: who and what the configuration leaves alone, and the line that says so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hardener.model import Container, Exempt, Pod
from hardener.policy.images import ImagePattern, full_name


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the configuration: its key, and its file and line as people write them."""

    key: str
    place: str


Lines = Mapping[str, Line]
"""What is exempt, to the line that says so; the first one where several do."""


@dataclass(frozen=True, slots=True)
class UserExemptions:
    """Creators of pods whose pods are left alone, compared as they are (as in PodSecurity's own exemptions)."""

    usernames: Lines
    groups: Lines

    def lines(self) -> Iterator[tuple[Line, str]]:
        """Each line, and what it exempts."""
        for table in (self.usernames, self.groups):
            yield from ((line, name) for name, line in table.items())

    def find(self, username: str, groups: Sequence[str]) -> Line | None:
        """The line that exempts a user, if there is one."""
        line = self.usernames.get(username)
        if line is None and self.groups:
            return next((self.groups[group] for group in groups if group in self.groups), None)
        return line


@dataclass(frozen=True, slots=True)
class PodExemptions:
    """Pods and containers that are left alone, whoever creates them.

    `containers` holds, for each name, the patterns of images in full form: anyone can give a container a name, so that
    both must match.
    """

    runtime_classes: Lines
    priority_classes: Lines
    containers: Mapping[str, Sequence[tuple[ImagePattern, Line]]]

    def find(self, pod: Pod) -> tuple[Exempt, ...]:
        """The pod itself where it is exempt as a whole, else those of its containers that are."""
        spec = pod.spec
        line = self.runtime_classes.get(spec.runtimeClassName or "")
        line = line or self.priority_classes.get(spec.priorityClassName or "")
        if line is not None:
            return (Exempt(pod, line.key, line.place),)
        if not self.containers:
            return ()
        return tuple(exempt for container in pod.containers if (exempt := self._exempt(container)) is not None)

    def _exempt(self, container: Container) -> Exempt | None:
        patterns = self.containers.get(container.name)
        if patterns is None or not container.manifest.image:
            return None
        image = full_name(container.manifest.image)
        return next((Exempt(container, at.key, at.place) for pattern, at in patterns if pattern.fits(image)), None)

    def lines(self) -> Iterator[tuple[Line, str]]:
        """Each line, and what it exempts, in the order of the file."""
        for table in (self.runtime_classes, self.priority_classes):
            yield from ((line, name) for name, line in table.items())
        containers = [(line, f"{name}, {it.text}") for name, each in self.containers.items() for it, line in each]
        # Shorter first, so that containers[10] stands behind containers[9].
        yield from sorted(containers, key=lambda pair: (len(pair[0].key), pair[0].key))

    def content(self) -> list[object]:
        """What decides, for a policy's fingerprint: neither order nor place of the lines does."""
        patterns = {name: sorted({pattern.text for pattern, _ in each}) for name, each in self.containers.items()}
        return [sorted(self.runtime_classes), sorted(self.priority_classes), patterns]
