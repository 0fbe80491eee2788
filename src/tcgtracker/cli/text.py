"""Text of others on a terminal: data, never instructions to the terminal."""

import unicodedata

# Cc controls, Cf formats (among them the marks that reverse the reading direction), Cs lone
# surrogates, Zl and Zp line and paragraph separators.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BYTE = 0x100
_PLANE = 0x10000


def printable(text: str) -> str:
    r"""Return the text with control characters shown escaped: ESC as `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escape(ord(char)) if unicodedata.category(char) in _ESCAPED else char for char in text
    )


def _escape(code: int) -> str:
    if code < _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _PLANE else f"\\U{code:08x}"
