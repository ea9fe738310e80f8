import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EARCONS, EVERY, gainOf, isUnheard, lengthOf, mustPhone, next, QUIET, RATION, ringingAt, WINDOW, type Earcon, type Moment, type Ringing, type Scheduler, type Seat } from "./sounds";
import type { Alarm, Incident, Sos } from "./wire";

const T0 = Date.parse("2026-11-20T12:00:00Z");
const iso = (ms: number) => new Date(T0 + ms).toISOString();
const incident = (more: Partial<Incident> = {}): Incident =>
  ({ subject: "incident:1", id: "1", masked: false, priority: 1, state: "classified", assignments: [], stamps: {}, opened_at: iso(0), desk: null, ...more }) as unknown as Incident;
const alarm = (more: Partial<Alarm> = {}): Alarm =>
  ({ subject: "alarm:1", id: "1", kind: "unacknowledged", state: "raised", facts: { priority: 2 }, raised_at: iso(0), step: "desk", ...more }) as unknown as Alarm;
const danger = (answered_at: string | null = null): Sos => ({ subject: "sos:1", id: "1", answered_at }) as unknown as Sos;

const SOS: Ringing = { subject: "sos:1", kind: "sos", grave: true };
const P1: Ringing = { subject: "incident:1", kind: "p1", grave: true };
const UNIT: Ringing = { subject: "alarm:1", kind: "unit", grave: false };
const units = (n: number, from = 0): Ringing[] => Array.from({ length: n }, (_, i) => ({ subject: `alarm:${from + i}`, kind: "unit", grave: false }));

/** Looks four times a second, as the console does; answers `[second, sound]`. */
function play(seconds: number, at: (second: number) => Partial<Moment>, from: Scheduler = QUIET): { heard: [number, Earcon][]; state: Scheduler } {
  let state = from;
  const heard: [number, Earcon][] = [];
  for (let ms = 0; ms <= seconds * 1000; ms += 250) {
    const [after, sound] = next(state, { now: ms, ringing: [], storm: false, up: true, silent: false, ...at(ms / 1000) });
    state = after;
    if (sound) heard.push([ms / 1000, sound.earcon]);
  }
  return { heard, state };
}

describe("the earcons", () => {
  it("keep to IEC 60601-1-8: between 500 and 3000 Hz, pulses and no continuous tone, none longer than a second", () => {
    for (const [name, tones] of Object.entries(EARCONS)) {
      for (const { hz, lasts } of tones) expect(hz >= 500 && hz <= 3000 && lasts <= 0.35, name).toBe(true);
      expect(lengthOf(name as Earcon), name).toBeLessThanOrEqual(1000);
    }
    expect([EARCONS.sos.length, EARCONS.p1.length, EARCONS.unit.length]).toEqual([8, 5, 3]);
    expect(new Set(EARCONS.sos.map(({ hz }) => hz))).toEqual(new Set([960, 770]));
    expect((EARCONS.lost[0]?.hz ?? 0) > (EARCONS.lost[1]?.hz ?? 0) && (EARCONS.back[0]?.hz ?? 0) < (EARCONS.back[1]?.hz ?? 0)).toBe(true);
  });

  it("cannot be muted where it matters", () => {
    expect([gainOf("sos", 0), gainOf("sos", 100), gainOf("p1", 0), gainOf("unit", 0), gainOf("lost", 50)]).toEqual([0.4, 1, 0.2, 0, 0.5]);
    fc.assert(fc.property(fc.double({ min: -50, max: 500, noNaN: true }), (volume) => gainOf("sos", volume) >= 0.4 && gainOf("p1", volume) >= 0.2 && gainOf("sos", volume) <= 1));
  });
});

describe("what rings at a seat", () => {
  const at = (seat: Partial<Seat>, ms: number, incidents: Incident[] = [], alarms: Alarm[] = [], sos: Sos[] = []) =>
    ringingAt({ role: "dispatcher", desk: "", ...seat }, T0 + ms, sos, incidents, alarms).map(({ kind }) => kind);

  it("is a P1 that nobody noticed and nobody was sent to: the desk's that owns the zone, after 30 s everybody's", () => {
    const mine = incident({ desk: "Sur" });
    expect(at({ desk: "Sur" }, 0, [mine])).toEqual(["p1"]);
    expect(at({ desk: "" }, 0, [mine])).toEqual(["p1"]);
    for (const seat of [{ desk: "Norte" }, { role: "supervisor" }, { role: "call_taker" }]) {
      expect(at(seat, 29_000, [mine])).toEqual([]);
      expect(at(seat, 30_000, [mine])).toEqual(["p1"]);
    }
    for (const role of ["government", "wall", "agency", "administrator"]) expect(at({ role }, 90_000, [mine], [alarm()], [danger()])).toEqual([]);
  });

  it("is not what was noticed, is lower, hidden, over or has somebody on it; what lost its last unit is new again", () => {
    const sent = { assignments: [{ status: "assigned" }] } as unknown as Partial<Incident>;
    for (const quiet of [{ priority: 2 as const }, { masked: true }, { state: "closed" as const }, sent, { stamps: { heard: iso(5) } }]) expect(isUnheard(incident(quiet))).toBe(false);
    expect(isUnheard(incident({ stamps: { heard: iso(5), T14: iso(900) } }))).toBe(true);
    expect(isUnheard(incident({ stamps: { heard: iso(5), T16: iso(900) } }))).toBe(true);
    expect(isUnheard(incident({ stamps: { heard: iso(950), T14: iso(900), T16: iso(800) } }))).toBe(false);
    // Times may be written in another zone.
    expect(isUnheard(incident({ stamps: { heard: "2026-11-20T12:10:00+00:00", T14: "2026-11-20T09:05:00-03:00" } }))).toBe(false);
  });

  it("is a unit that has not acknowledged a P1 or P2, for dispatchers and then for supervisors; and an SOS for all", () => {
    expect(at({}, 0, [], [alarm(), alarm({ facts: { priority: 3 } }), alarm({ state: "answered" }), alarm({ state: "shelved" }), alarm({ kind: "stuck" })])).toEqual(["unit"]);
    expect(at({ role: "supervisor" }, 0, [], [alarm()])).toEqual([]);
    expect(at({ role: "supervisor" }, 0, [], [alarm({ step: "supervisor" })])).toEqual(["unit"]);
    expect(at({ role: "call_taker" }, 0, [], [], [danger(), danger(iso(1))])).toEqual(["sos"]);
    expect([mustPhone(alarm(), T0 + 89_000), mustPhone(alarm(), T0 + 90_000), mustPhone(alarm({ state: "answered" }), T0 + 900_000)]).toEqual([false, true, false]);
  });
});

describe("the scheduler", () => {
  it("lets an SOS be heard every 5 s, a P1 every 10 s, a unit three times every 30 s, until somebody acts", () => {
    expect(play(16, () => ({ ringing: [SOS] })).heard).toEqual([[0, "sos"], [5, "sos"], [10, "sos"], [15, "sos"]]);
    expect(play(60, (second) => ({ ringing: second < 25 ? [P1] : [] })).heard).toEqual([[0, "p1"], [10, "p1"], [20, "p1"]]);
    expect(play(300, () => ({ ringing: [UNIT] })).heard).toEqual([[0, "unit"], [30, "unit"], [60, "unit"]]);
    expect(play(60, () => ({})).heard).toEqual([]);
  });

  it("does not make a new P1 wait for the turn of another, nor for a lesser sound", () => {
    const other = { ...P1, subject: "incident:2" };
    const { heard } = play(20, (second) => ({ ringing: second < 3 ? [P1] : [P1, other] }));
    expect(heard).toEqual([[0, "p1"], [3, "p1"], [13, "p1"]]);
    expect(play(2, (second) => ({ ringing: second < 0.25 ? [UNIT] : [UNIT, P1] })).heard.slice(0, 2)).toEqual([[0, "unit"], [0.25, "p1"]]);
  });

  it("says once that the link went and once that it is back, and what was missed sounds with it", () => {
    const cut = (second: number): Partial<Moment> => ({ up: second < 5 || second >= 40, ringing: second < 40 ? [] : [P1] });
    expect(play(45, cut).heard).toEqual([[5, "lost"], [40, "p1"], [41, "back"]]);
    // A P1 that rang before the cut rests while nobody here could answer it, and comes at once with the link.
    expect(play(45, (second) => ({ up: second < 5 || second >= 40, ringing: [P1] })).heard).toEqual([[0, "p1"], [5, "lost"], [40, "p1"], [41, "back"]]);
    expect(play(20, () => ({ up: null })).heard).toEqual([]);
    // One that flaps says so once a minute.
    expect(play(59, (second) => ({ up: second % 10 < 5 })).heard).toEqual([[5, "lost"], [10, "back"]]);
  });

  it("is silent in a second window and where the browser forbids it; what waits sounds when it may", () => {
    expect(play(30, () => ({ ringing: [SOS, P1], silent: true, up: false })).heard).toEqual([]);
    expect(play(30, (second) => ({ ringing: [P1], silent: second < 12 })).heard).toEqual([[12, "p1"], [22, "p1"]]);
  });

  it("keeps ten in ten minutes when sixty come; P1 and SOS sound within a second all the same", () => {
    const p1At = 123;
    const { heard, state } = play(600, (second) => ({ ringing: [...units(Math.min(60, Math.floor(second / 10) + 1)), ...(second >= p1At && second < p1At + 1 ? [P1] : [])] }));
    expect(heard.filter(([, earcon]) => earcon !== "p1").length).toBeLessThanOrEqual(RATION);
    expect(heard.find(([, earcon]) => earcon === "p1")?.[0]).toBeLessThan(p1At + 1);
    expect(state.flood).toBe(true);
    expect(state.suppressed.size).toBeGreaterThan(40);
  });

  it("in a storm is one soft tone a minute for the rest; after a flood it speaks as ever", () => {
    const { heard } = play(130, () => ({ storm: true, ringing: units(3) }));
    expect(heard).toEqual([[0, "soft"], [60, "soft"], [120, "soft"]]);
    const flood = play(1300, (second) => ({ ringing: second < 60 ? units(12) : second < 1200 ? [] : units(1, 99) }));
    expect(flood.heard.filter(([second]) => second >= 1200)).toEqual([[1200, "unit"], [1230, "unit"], [1260, "unit"]]);
  });

  const KIND = fc.constantFrom<Ringing["kind"]>("sos", "p1", "unit");
  const RINGING = fc.uniqueArray(
    fc.record({ n: fc.nat(80), kind: KIND, hurt: fc.boolean() }).map(({ n, kind, hurt }): Ringing => ({ subject: `${kind}:${n}`, kind, grave: kind !== "unit" || hurt })),
    { maxLength: 60, selector: ({ subject }) => subject },
  );
  const STEPS = fc.array(fc.record({ wait: fc.integer({ min: 50, max: 20_000 }), ringing: RINGING, storm: fc.boolean(), up: fc.constantFrom(true, true, true, false, null), silent: fc.boolean() }), { maxLength: 120 });

  it("whatever happens: never eleven lesser sounds in ten minutes, none over another, none while it must be silent", () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        let [state, now, ends, endsGrave] = [QUIET, 0, -1, false] as [Scheduler, number, number, boolean];
        const lesser: number[] = [];
        for (const { wait, ...moment } of steps) {
          now += wait;
          const [after, sound] = next(state, { now, ...moment });
          const rings = new Map(moment.ringing.map((one) => [one.subject, one]));
          if (sound) {
            const grave = sound.subjects.some((subject) => rings.get(subject)?.grave);
            expect(moment.silent).toBe(false);
            expect(now >= ends || (grave && !endsGrave)).toBe(true);
            for (const subject of sound.subjects) expect(rings.has(subject)).toBe(true);
            [ends, endsGrave] = [now + lengthOf(sound.earcon), grave];
            if (!grave && sound.earcon !== "lost" && sound.earcon !== "back") lesser.push(now);
          } else if (!moment.silent && moment.up !== false && (now >= ends || !endsGrave)) {
            // Nothing grave that is due is ever passed over.
            for (const one of moment.ringing) {
              const before = state.heard.get(one.subject);
              const waits = !before || ((one.kind !== "unit" || before.times < 3) && now - before.last >= EVERY[one.kind]);
              expect(one.grave && waits).toBe(false);
            }
          }
          expect(lesser.filter((at) => at >= now - WINDOW).length).toBeLessThanOrEqual(RATION);
          // Each alarm that rings has sounded, will, or stands among the suppressed.
          for (const subject of after.suppressed) expect(rings.get(subject)?.grave).toBe(false);
          state = after;
        }
      }),
      { numRuns: 300 },
    );
  });
});
