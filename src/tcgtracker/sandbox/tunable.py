"""Options of a vendor as plain attributes that the control port can read and change."""

from collections.abc import Mapping
from typing import ClassVar


class Tunable:
    """A vendor whose attributes named in `OPTIONS` may be changed while it serves."""

    OPTIONS: ClassVar[tuple[str, ...]] = ()

    def options(self) -> dict[str, object]:
        """Return the options with their present values."""
        return {name: getattr(self, name) for name in self.OPTIONS}

    def tune(self, options: Mapping[str, object]) -> None:
        """Change options.

        Raises:
            ValueError: an option does not exist or its value cannot be used; nothing was changed.
        """
        for name, value in options.items():
            if name not in self.OPTIONS:
                raise ValueError(f"no option {name!r}: there are {', '.join(self.OPTIONS)}")
            wanted = type(getattr(self, name))
            if type(value) is not wanted:
                raise ValueError(f"{name} wants {wanted.__name__}, not {value!r}")
        for name, value in options.items():
            setattr(self, name, value)
