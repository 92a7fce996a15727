"""Metrics that have counted answers, read as data."""

from hardener.admission import Answer
from hardener.server.counting import Metrics


class Counted:
    """Metrics, and what stands in them."""

    def __init__(self, *answers: Answer, by_namespace: bool = False) -> None:
        self.metrics = Metrics(by_namespace=by_namespace)
        for answer in answers:
            self.metrics.observe(answer, "shop", 0.0003)

    def __getitem__(self, name):
        """Every sample of a metric: the values of its labels, sorted by their names, to its value."""
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == name
        }
