"""The supervisor's side: decides, launches, watches, judges, reports. Never imports torch."""

__version__ = "0.1.0"
