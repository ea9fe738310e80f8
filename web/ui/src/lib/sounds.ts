/**
 * What sounds and when. Four things make sound and nothing else does: an SOS, a P1 that nobody noticed, a unit that has not acknowledged,
 * and the link that goes or comes back. Pure: what rings at this seat and the hour in, at most one sound out. `player.ts` lets it be heard.
 *
 * At most ten sounds in ten minutes besides P1 and SOS; in a storm or a flood those others are one soft tone a minute. What is kept
 * silent stays listed on the strip and is told to the server.
 */
import { isUnacknowledged } from "./queue";
import type { Alarm, Incident, Sos } from "./wire";

export type Earcon = "sos" | "p1" | "unit" | "lost" | "back" | "soft" | "test";

/** One tone: hertz, seconds from the beginning, seconds long. */
export interface Tone {
  hz: number;
  at: number;
  lasts: number;
}

const pulses = (hz: number, starts: number[], lasts: number): Tone[] => starts.map((at) => ({ hz, at, lasts }));

/** IEC 60601-1-8's way: high is 3 + 2 pulses, medium is 3; none is continuous, all between 500 and 3000 Hz. */
export const EARCONS: Record<Earcon, Tone[]> = {
  sos: [0, 1, 2, 3].flatMap((turn) => [...pulses(960, [turn * 0.24], 0.11), ...pulses(770, [turn * 0.24 + 0.12], 0.11)]),
  p1: pulses(880, [0, 0.16, 0.32, 0.6, 0.76], 0.11),
  unit: pulses(660, [0, 0.24, 0.48], 0.16),
  lost: [...pulses(740, [0], 0.18), ...pulses(554, [0.22], 0.26)],
  back: [...pulses(554, [0], 0.18), ...pulses(740, [0.22], 0.26)],
  soft: pulses(587, [0], 0.32),
  test: [...pulses(880, [0, 0.16, 0.32], 0.11), ...pulses(660, [0.6], 0.3)],
};
export const lengthOf = (earcon: Earcon): number => Math.max(...EARCONS[earcon].map(({ at, lasts }) => at + lasts)) * 1000;

export const SOS_FLOOR = 0.4;
export const P1_FLOOR = 0.2;

/** How loud, 0…1: an SOS is only ever lowered to 40 %, a P1 to 20 %; the rest may be silent. `volume` in percent. */
export function gainOf(earcon: Earcon, volume: number): number {
  const wanted = Math.min(1, Math.max(0, volume / 100));
  if (earcon === "sos") return Math.max(SOS_FLOOR, wanted);
  if (earcon === "p1" || earcon === "test") return Math.max(P1_FLOOR, wanted);
  return earcon === "soft" ? wanted * 0.5 : wanted;
}

export const EVERY = { sos: 5_000, p1: 10_000, unit: 30_000 } as const;
export const UNIT_TIMES = 3;
export const WINDOW = 600_000;
export const RATION = 10;
export const FLOOD_BEGINS = 10;
export const FLOOD_ENDS = 5;
export const SOFT_EVERY = 60_000;
/** A link that flaps says so once a minute. */
export const LINK_EVERY = 60_000;

/* ------------------------------------------------------------ what rings */

/** Something that asks to be heard until somebody acts. */
export interface Ringing {
  subject: string;
  kind: "sos" | "p1" | "unit";
  /** P1 and SOS: never rationed. */
  grave: boolean;
}

/** Who sits here; `desk` is the one that they say they are, "" where they did not say. */
export interface Seat {
  role: string;
  desk: string;
}

/** After this long a P1 that nobody noticed is everybody's: supervisors', call-takers' and the other desks'. */
export const EVERYBODYS_AFTER = 30_000;

const stampOf = (incident: Incident, name: string): number => Date.parse(incident.stamps[name] ?? "") || 0;

/** A P1 that is new: nobody sent, and no desk said that it was noticed since its last unit left or it was opened again. */
export function isUnheard(incident: Incident): boolean {
  if (incident.masked || incident.priority !== 1 || !isUnacknowledged(incident) || incident.assignments.length > 0) return false;
  const heard = stampOf(incident, "heard");
  return heard === 0 || heard <= Math.max(stampOf(incident, "T14"), stampOf(incident, "T16"));
}

/** When an unnoticed P1 began to be one. */
export const unheardSince = (incident: Incident): number => Math.max(Date.parse(incident.opened_at), stampOf(incident, "T14"), stampOf(incident, "T16"));

const mine = (incident: Incident, seat: Seat, now: number): boolean =>
  now - unheardSince(incident) >= EVERYBODYS_AFTER || (seat.role === "dispatcher" && (!seat.desk || !incident.desk || seat.desk === incident.desk));

/** A unit that should have said that it heard; of lower priorities it is silent. */
export const isUnitSilent = (alarm: Alarm): boolean => alarm.kind === "unacknowledged" && alarm.state === "raised" && (alarm.facts.priority ?? 4) <= 2;

/** The desk called three times by sound; now somebody telephones. */
export const mustPhone = (alarm: Alarm, now: number): boolean => isUnitSilent(alarm) && now - Date.parse(alarm.raised_at) >= EVERY.unit * UNIT_TIMES;

const OPERATIONS: ReadonlySet<string> = new Set(["call_taker", "dispatcher", "supervisor"]);

export function ringingAt(seat: Seat, now: number, sos: readonly Sos[], incidents: readonly Incident[], alarms: readonly Alarm[]): Ringing[] {
  if (!OPERATIONS.has(seat.role)) return [];
  return [
    ...sos.filter(({ answered_at }) => answered_at === null).map(({ subject }): Ringing => ({ subject, kind: "sos", grave: true })),
    ...incidents.filter((incident) => isUnheard(incident) && mine(incident, seat, now)).map(({ subject }): Ringing => ({ subject, kind: "p1", grave: true })),
    ...alarms
      .filter((alarm) => isUnitSilent(alarm) && (seat.role === "dispatcher" || (seat.role === "supervisor" && alarm.step !== "desk")))
      .map(({ subject, facts }): Ringing => ({ subject, kind: "unit", grave: facts.priority === 1 })),
  ];
}

/* ------------------------------------------------------------ what sounds next */

export interface Moment {
  /** Milliseconds of a clock that only goes forward. */
  now: number;
  ringing: readonly Ringing[];
  storm: boolean;
  /** `null`: not known yet, before the first message. */
  up: boolean | null;
  /** This window may not sound: another one of this seat does, or the browser does not let it. */
  silent: boolean;
}

export interface Heard {
  last: number;
  times: number;
  /** Only ever by the soft tone that stands for many. */
  soft: boolean;
}

export interface Scheduler {
  /** What rings and has sounded here. */
  heard: ReadonlyMap<string, Heard>;
  /** When something besides P1, SOS and the link sounded, in the last ten minutes. */
  rationed: readonly number[];
  /** When each alarm that could be heard came, in the last ten minutes. */
  came: ReadonlyMap<string, number>;
  flood: boolean;
  /** What rings and is kept silent. */
  suppressed: ReadonlySet<string>;
  softAt: number | null;
  playing: { until: number; grave: boolean };
  up: boolean | null;
  lostAt: number | null;
  /** It was said that the link went, and not yet that it is back. */
  lostSaid: boolean;
  toSay: "lost" | "back" | null;
}

export const QUIET: Scheduler = {
  heard: new Map(), rationed: [], came: new Map(), flood: false, suppressed: new Set(), softAt: null,
  playing: { until: -Infinity, grave: false }, up: null, lostAt: null, lostSaid: false, toSay: null,
};

export interface Sounding {
  earcon: Earcon;
  subjects: string[];
  /** Of these, what sounds for the first time. */
  first: string[];
}

const KINDS = ["sos", "p1", "unit"] as const;

/** The next state, and what sounds now. A grave sound does not wait for a lesser one to end. */
export function next(held: Scheduler, { now, ringing, storm, up, silent }: Moment): [Scheduler, Sounding | null] {
  const here = new Set(ringing.map(({ subject }) => subject));
  const came = new Map([...held.came].filter(([, at]) => at >= now - WINDOW));
  for (const { subject } of ringing) if (!held.came.has(subject) && !held.heard.has(subject)) came.set(subject, now);
  const heard = new Map([...held.heard].filter(([subject]) => here.has(subject)));
  const rationed = held.rationed.filter((at) => at >= now - WINDOW);
  const flood = held.flood ? came.size >= FLOOD_ENDS : came.size > FLOOD_BEGINS;
  const crowded = storm || flood;
  const state: Scheduler = { ...held, ...linkNow(held, up, now), came, heard, rationed, flood };
  const kept = crowded || rationed.length >= RATION;
  state.suppressed = new Set(ringing.filter(({ subject, grave }) => !grave && kept && (heard.get(subject)?.soft ?? true)).map(({ subject }) => subject));
  if (silent) return [{ ...state, toSay: null }, null];

  const due = ({ subject, kind }: Ringing): boolean => {
    const before = heard.get(subject);
    return !before || ((kind !== "unit" || before.times < UNIT_TIMES) && now - before.last >= EVERY[kind]);
  };
  const free = now >= held.playing.until;
  // While nothing comes from the server nobody here can answer: what rings rests, and sounds at once with the link.
  const asks = up === false ? [] : ringing.filter(due);
  const kind = KINDS.find((each) => asks.some((one) => one.kind === each && (one.grave || !kept)));
  if (kind) {
    const all = (kind === "unit" ? asks : [...ringing]).filter((one) => one.kind === kind && (one.grave || !kept));
    const grave = all.some((one) => one.grave);
    if (free || (grave && !held.playing.grave)) return sounds(state, kind, all, grave, now);
    return [state, null];
  }
  if (!free) return [state, null];
  if (state.toSay) return sounds({ ...state, toSay: null }, state.toSay, [], false, now);
  const many = asks.filter((one) => !one.grave);
  const softly = crowded && many.length > 0 && rationed.length < RATION && (held.softAt === null || now - held.softAt >= SOFT_EVERY);
  return softly ? sounds({ ...state, softAt: now }, "soft", many, false, now) : [state, null];
}

/** The link is told of once, when it is known to have been there. */
function linkNow(held: Scheduler, up: boolean | null, now: number): Pick<Scheduler, "up" | "lostAt" | "lostSaid" | "toSay"> {
  const { lostAt, lostSaid, toSay } = held;
  if (up === false && held.up === true && (lostAt === null || now - lostAt >= LINK_EVERY)) return { up, lostAt: now, lostSaid: true, toSay: "lost" };
  if (up === true && lostSaid) return { up, lostAt, lostSaid: false, toSay: toSay === "lost" ? null : "back" };
  return { up: up ?? held.up, lostAt, lostSaid, toSay };
}

function sounds(state: Scheduler, earcon: Earcon, about: readonly Ringing[], grave: boolean, now: number): [Scheduler, Sounding] {
  const heard = new Map(state.heard);
  const first: string[] = [];
  for (const { subject } of about) {
    const before = heard.get(subject);
    if (!before) first.push(subject);
    heard.set(subject, { last: now, times: (before?.times ?? 0) + 1, soft: earcon === "soft" && (before?.soft ?? true) });
  }
  const counts = !grave && earcon !== "lost" && earcon !== "back";
  const rationed = counts ? [...state.rationed, now] : state.rationed;
  return [{ ...state, heard, rationed, playing: { until: now + lengthOf(earcon), grave } }, { earcon, subjects: about.map(({ subject }) => subject), first }];
}

/** How many alarms came that could be heard here, in the last ten minutes. */
export const cameLately = ({ came }: Scheduler, now: number): number => [...came.values()].filter((at) => at >= now - WINDOW).length;
