"""A thread that does one thing again and again until it is told to end."""

import threading
from collections.abc import Callable


class LoopThread:
    """Runs `body`, which returns soon after `stopped` is set."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        self._name = name
        self._body = body
        self._thread: threading.Thread | None = None
        self.stopped = threading.Event()

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: it runs already.
        """
        if self._thread is not None:
            raise RuntimeError(f"the {self._name} runs already")
        self.stopped.clear()
        self._thread = threading.Thread(
            target=self._body, name=f"tcgtracker-{self._name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the round that it is in."""
        self.stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
