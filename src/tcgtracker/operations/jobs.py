"""Background work that keeps the program itself well: backups, and rows that are of no more use."""

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.operations.backup import backup_into
from tcgtracker.operations.cleanup import clean_jobs, clean_log
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job

BACKUP = "backup"
CLEANUP = "cleanup_jobs"
_BACKUP_AT = time(4, 10)
"""After the nightly synchronisations and the sealing of months."""
_CLEANUP_AT = time(4, 40)


def jobs(
    databases: Mapping[str, Database],
    clock: Clock,
    *,
    backup_folder: str,
    keep_backups: int,
    keep_jobs_days: int,
    keep_audit_days: int,
) -> list[Job]:
    """Return the jobs. backup_folder: '' makes no backups by schedule."""

    def backup(_job: JobContext) -> dict[str, object]:
        if not backup_folder:
            return {"skipped": "BACKUP_FOLDER is not set"}
        file = backup_into(databases, Path(backup_folder), clock, keep=keep_backups)
        return {"file": file.name, "bytes": file.stat().st_size}

    def cleanup(job: JobContext) -> dict[str, object]:
        main, now = databases["main"], clock.now()
        older = now - timedelta(days=keep_jobs_days)
        dropped: dict[str, object] = {"jobs": clean_jobs(main, older, check=job.check)}
        if keep_audit_days:
            before = now - timedelta(days=keep_audit_days)
            dropped["audit_log"] = clean_log(main, before, check=job.check)
        return dropped

    return [
        Job(name=BACKUP, handler=backup, at=_BACKUP_AT if backup_folder else None),
        Job(name=CLEANUP, handler=cleanup, at=_CLEANUP_AT),
    ]
