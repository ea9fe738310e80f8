"""Jobs: what is to be looked at later, in PostgreSQL: no restart loses one, and any number of workers does them.

The library is procrastinate; this module is the only one that knows it. A job is put down in the transaction of its
cause (`defer`), on the same connection, and carries no truth: when its time comes it reads how things stand then. It
runs in a transaction of its own and is crossed off after that, so a worker that dies between the two lets it run
twice: a job must bear that, as a reaction must.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.sql import queries
from psycopg_pool import PoolTimeout
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import LIMITS, Sessions, now, transaction

log = structlog.get_logger()

Job = Callable[..., Awaitable[None]]  # (session, **the words it was put down with)

EVERY = 0.5  # seconds between two looks into the queue; a notification usually comes first
STALLED = 20  # seconds after which a job that is still being done belongs to a worker that died: none takes 3
TIDIED_EVERY = 5.0
KEPT_HOURS = 7 * 24  # for those who ask why one failed
RETRY = RetryStrategy(max_attempts=60, linear_wait=5)  # two and a half hours; then it is a bug, and stays as failed

_deferring = App(connector=PsycopgConnector())  # puts down on connections that it is given, and opens none


async def defer(session: AsyncSession, job: str, *, at: dt.datetime, key: str, **words: str) -> None:
    """Have `job` done with `words` at a moment, if this transaction commits. One that waits under `key` is enough.

    A moment that is past means at once. Raises `DBAPIError`, as the session itself would.
    """
    await session.flush()
    try:
        async with session.begin_nested():
            raw = await (await session.connection()).get_raw_connection()  # asked for inside: the savepoint begins here
            later = _deferring.configure_task(job, schedule_at=at, queueing_lock=key, connection=raw.driver_connection)
            await later.defer_async(**words)
    except AlreadyEnqueued:
        return
    except ConnectorException as failure:
        raise DBAPIError(f"defer {job}", None, failure.__cause__ or failure) from failure


async def run_jobs(database_url: str, sessions: Sessions, jobs: Mapping[str, Job]) -> None:
    """Do each job when its time has come, for ever; a database that is away is waited for."""
    while True:
        app = _app(database_url, sessions, jobs)
        try:
            async with app.open_async():
                working = app.run_worker_async(
                    install_signal_handlers=False,
                    fetch_job_polling_interval=EVERY,
                    delete_jobs="successful",
                    shutdown_graceful_timeout=1.0,
                )
                await _first_to_end(working, _tidy_for_ever(app))
        except (ConnectorException, PoolTimeout, OSError):
            log.exception("jobs cannot be done; they wait and will be tried again")
        await asyncio.sleep(1)


async def _first_to_end(*works: Awaitable[None]) -> None:
    """Both at once, until one of them ends or raises."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _app(database_url: str, sessions: Sessions, jobs: Mapping[str, Job]) -> App:
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    limits = {"connect_timeout": 2, "options": LIMITS, "tcp_user_timeout": 5000}
    app = App(connector=PsycopgConnector(conninfo=plain, kwargs=limits, min_size=1, max_size=2, timeout=5))
    for name, job in jobs.items():
        app.task(name=name, retry=RETRY)(_in_a_transaction(sessions, job))
    return app


def _in_a_transaction(sessions: Sessions, job: Job) -> Callable[..., Awaitable[None]]:
    async def do(**words: Any) -> None:
        async with transaction(sessions) as session:
            await job(session, **words)

    return do


async def _tidy_for_ever(app: App) -> None:
    """Take up again what dead workers left half done, and forget what failed long ago."""
    while True:
        for job in await app.connector.execute_query_all_async(
            queries["select_stalled_jobs_by_started"], queue=None, task_name=None, nb_seconds=STALLED
        ):
            log.warning("job taken up again: its worker died", job=job["task_name"], words=job["args"])
            with contextlib.suppress(ConnectorException):  # another worker took it up first
                await app.job_manager.retry_job_by_id_async(job["id"], retry_at=now())
        await app.job_manager.delete_old_jobs(
            nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
        await asyncio.sleep(TIDIED_EVERY)
