"""Self-hosted tracker of trading-card prices."""

__version__ = "0.1.0"
