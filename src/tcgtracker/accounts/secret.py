"""The secret of this installation, under which tokens are signed."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from tcgtracker.config import SECRET_BYTES
from tcgtracker.domain.errors import InvalidInput, StorageError

MIN_BYTES = SECRET_BYTES
_FILE = "secret.key"


def load_secret(configured: str, folder: Path) -> bytes:
    """Return the configured secret, or the one kept in `folder`, made there on the first start.

    Raises:
        InvalidInput: the configured one is too short.
        StorageError: the file cannot be read or written, or is damaged.
    """
    if configured:
        if len(configured.encode()) < MIN_BYTES:
            raise InvalidInput(
                f"SECURITY_SECRET_KEY needs at least {MIN_BYTES} bytes, as `openssl rand -hex 32`"
                " makes them"
            )
        return configured.encode()
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / f".{_FILE}.{secrets.token_hex(8)}"
        if not path.exists():
            # Written aside and linked: of two first starts one wins whole.
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(MIN_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                with suppress(FileExistsError):
                    path.hardlink_to(made)
            finally:
                made.unlink()
        text = path.read_text().strip()
    except OSError as exc:
        raise StorageError(
            f"{path}: {exc.strerror}; set SECURITY_SECRET_KEY, or make the folder writable"
        ) from exc
    if len(text) < MIN_BYTES:
        raise StorageError(f"{path} is damaged: restore it, or delete it, which ends all sessions")
    return text.encode()
