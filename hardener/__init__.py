"""Safe by default: hardens Kubernetes pods at admission, and says why."""

__version__ = "0.1.0"
