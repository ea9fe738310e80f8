"""The worker process: reactions to the journal, jobs whose time has come, and the chores that keep the house.

Any number may run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from geo.closures import sweep_closures
from geo.fences import tidy_fences, tidy_visits
from incidents.callers import sweep_callers
from incidents.card_trials import JOB as TRIAL
from incidents.card_trials import carry_on_trial
from incidents.circuits import follow_circuits
from incidents.fencing import watch_incidents
from incidents.follow_up import follow_for_reporters
from incidents.incident import OVER, Incident, take_off_board
from incidents.learned_speeds import learn_speeds
from incidents.move_ups import propose_move_ups, tend_move_ups
from incidents.radio_log import take_off_air
from incidents.soundings import sweep_soundings
from incidents.storm import watch_load
from incidents.tasks import follow_cards, mark_overdue
from incidents.undo import sweep_undos
from incidents.watchdogs import JOBS, look_around, start_clocks
from realtime.access import VIGIA
from realtime.database import connect, now, sessions_of
from realtime.idempotency import sweep_answers
from realtime.jobs import run_jobs
from realtime.past import archive_past, forget_faces, tend_past
from realtime.reactions import Chore, Reaction, run_chores, run_reactions
from resources.attendance import end_forgotten
from resources.devices import tend_devices
from resources.fence_watch import give_up_the_lost, run_fence_watch
from resources.sign_in import sweep_sign_ins
from resources.tracks import tend_history
from resources.walls import watch_walls
from web.settings import Settings
from web.throttle import sweep_attempts

ON_BOARD = dt.timedelta(minutes=10)  # how long an incident that is over stays where people look

REACTIONS: dict[str, Reaction] = {
    "reporters": follow_for_reporters,
    "watchdogs": start_clocks,
    "card tasks": follow_cards,
    "circuits": follow_circuits,
}


async def archive_incidents(session: AsyncSession) -> None:
    """Take what is over off the board."""
    query = (
        select(Incident)
        .where(Incident.on_board, Incident.state.in_(OVER), Incident.closed_at < now() - ON_BOARD)
        .order_by(Incident.id)
        .limit(300)
        .with_for_update(skip_locked=True, key_share=True)
    )
    for incident in await session.scalars(query):
        await take_off_board(session, VIGIA, incident)


async def keep_the_past(session: AsyncSession) -> None:
    """Archive what the journal has told, so that any past hour can be looked at."""
    await archive_past(session)


async def tell_late_tasks(session: AsyncSession) -> None:
    """Tell of tasks whose time has run out."""
    await mark_overdue(session)


async def learn_from_journeys(session: AsyncSession, *, timezone: str) -> None:
    """Let the journeys that have ended teach how fast streets are."""
    await learn_speeds(session, timezone=timezone)


CHORES: dict[str, tuple[dt.timedelta, Chore]] = {
    "archive incidents": (dt.timedelta(seconds=5), archive_incidents),
    "closures": (dt.timedelta(seconds=5), sweep_closures),
    "late tasks": (dt.timedelta(seconds=5), tell_late_tasks),
    "the past": (dt.timedelta(seconds=10), keep_the_past),
    "forget faces": (dt.timedelta(minutes=10), forget_faces),
    "positions": (dt.timedelta(hours=1), tend_history),
    "devices": (dt.timedelta(hours=1), tend_devices),
    "fences": (dt.timedelta(seconds=5), tidy_fences),
    "fence visits": (dt.timedelta(seconds=20), tidy_visits),
    "lost units": (dt.timedelta(minutes=5), give_up_the_lost),
    "storm": (dt.timedelta(seconds=10), watch_load),
    "callers": (dt.timedelta(hours=1), sweep_callers),
    "radio": (dt.timedelta(seconds=30), take_off_air),
    "undos": (dt.timedelta(minutes=10), sweep_undos),
    "walls": (dt.timedelta(seconds=5), watch_walls),
    "watchdogs": (dt.timedelta(seconds=5), look_around),
    "move-ups": (dt.timedelta(seconds=5), tend_move_ups),
    "kept answers": (dt.timedelta(hours=1), sweep_answers),
    "soundings": (dt.timedelta(hours=1), sweep_soundings),
    "sign-ins": (dt.timedelta(hours=1), sweep_sign_ins),
    "forgotten clock-outs": (dt.timedelta(seconds=30), end_forgotten),
    "attempts": (dt.timedelta(minutes=10), sweep_attempts),
}


async def run_worker(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT."""
    engine = connect(settings.database, pool=4)
    sessions = sessions_of(engine)
    reactions = REACTIONS | {"fences": watch_incidents(settings.timezone)}
    learn = partial(learn_from_journeys, timezone=settings.timezone)
    jobs = JOBS | {TRIAL: partial(carry_on_trial, timezone=settings.timezone)}
    cover = partial(propose_move_ups, timezone=settings.timezone)
    chores = CHORES | {
        "learned speeds": (dt.timedelta(minutes=15), learn),
        "coverage": (dt.timedelta(seconds=20), cover),
        "past keeping": (dt.timedelta(hours=1), partial(tend_past, kept_days=settings.past_days)),
    }
    work = asyncio.gather(
        run_reactions(sessions, reactions),
        run_chores(sessions, chores),
        run_jobs(settings.database, sessions, jobs),
        run_fence_watch(sessions, settings.timezone),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        pass
    finally:
        await engine.dispose()
