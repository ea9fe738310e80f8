import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PACES, Player, type Archive, type PastLine, type PastPlace } from "./replay";
import type { Feature } from "./wire";

const FROM = Date.parse("2026-11-12T03:00:00.000Z");
const HOUR = 3_600_000;
const SUBJECTS = ["incident:a", "incident:b", "report:c", "unit:d", "sos:e"];
const UNIT = "0190d000-0000-7000-8000-000000000001";

const feature = (subject: string, version: number): Feature => ({ type: "Feature", geometry: null, properties: { subject, id: subject, version, ...(subject.startsWith("incident") && { priority: version % 2 === 0 ? 1 : 3 }) } }) as Feature;

const night = fc.array(fc.record({ subject: fc.constantFrom(...SUBJECTS), at: fc.nat(HOUR - 1), drop: fc.boolean() }), { maxLength: 80 }).map((steps) => {
  const versions = new Map<string, number>();
  return steps
    .sort((one, other) => one.at - other.at)
    .map(({ subject, at, drop }): PastLine => {
      const version = (versions.get(subject) ?? 1) + 1;
      versions.set(subject, version);
      return [FROM + at, subject, version, drop ? null : feature(subject, version)];
    });
});

const FIRST = [feature("incident:a", 1), feature("unit:d", 1)];

/** An archive that gives so many lines at a time, as the server does: never part of a moment. */
function archiveOf(lines: PastLine[], most = 7): Archive & { asked: number } {
  return {
    asked: 0,
    page(from, to, board) {
      this.asked += 1;
      const [since, until] = [Date.parse(from), Date.parse(to)];
      const all = lines.filter(([at]) => (board ? at >= since : at > since) && at <= until);
      const last = all[most - 1]?.[0];
      const complete = last === undefined ? until : last;
      const page = { from, to, complete_to: new Date(complete).toISOString(), begins_at: from, tracks_since: from, features: board ? FIRST : null };
      return Promise.resolve({ ...page, lines: all.filter(([at]) => at <= complete) });
    },
    places(from, to) {
      const [since, until] = [Date.parse(from), Date.parse(to)];
      const places: PastPlace[] = [];
      for (let at = since; at <= until; at += 15_000) places.push([at, -60 - (at - FROM) / 1e9, -33, null, 20, at]);
      return Promise.resolve({ [UNIT]: places });
    },
  };
}

const truth = (lines: PastLine[], at: number): string[] => {
  const held = new Map<string, Feature>(FIRST.map((each) => [each.properties.subject, each]));
  for (const [when, subject, , whole] of lines) {
    if (when > at) break;
    if (whole) held.set(subject, whole);
    else held.delete(subject);
  }
  return [...held.values()].map(({ properties }) => `${properties.subject}@${properties.version}`).sort();
};
const shown = (player: Player): string[] => [...player.board.features.values()].map(({ properties }) => `${properties.subject}@${properties.version}`).sort();

const opened = async (lines: PastLine[], most?: number): Promise<Player> => {
  const player = await Player.open(archiveOf(lines, most), FROM, FROM + HOUR);
  await player.readTo(FROM + HOUR);
  return player;
};

describe("a past hour", () => {
  it("is the same at a moment however one came there", async () => {
    await fc.assert(
      fc.asyncProperty(night, fc.array(fc.nat(HOUR), { minLength: 1, maxLength: 20 }), async (lines, ways) => {
        const player = await opened(lines);
        for (const way of ways) {
          player.seek(FROM + way);
          await player.readTo(FROM + way);
          expect(player.state.at).toBe(FROM + way);
          expect(shown(player)).toEqual(truth(lines, FROM + way));
          const { lon } = player.board.positions.get(UNIT) ?? { lon: 0 };
          expect(lon).toBeCloseTo(-60 - (Math.floor(way / 15_000) * 15_000) / 1e9, 9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is the same at any speed", async () => {
    await fc.assert(
      fc.asyncProperty(night, fc.constantFrom(...PACES), fc.integer({ min: 16, max: 400 }), async (lines, pace, frame) => {
        const player = await opened(lines);
        player.play(pace);
        for (let now = 0, frames = 0; frames < 50; now += frame, frames += 1) {
          player.tick(now);
          expect(player.state.at).toBe(Math.min(FROM + now * pace, FROM + HOUR));
          expect(shown(player)).toEqual(truth(lines, player.state.at));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("goes back over many lines from a board that it kept", async () => {
    const lines = Array.from({ length: 2_300 }, (_, n): PastLine => [FROM + n * 1_000, SUBJECTS[n % 5] ?? "", n + 2, n % 7 === 0 ? null : feature(SUBJECTS[n % 5] ?? "", n + 2)]);
    const player = await opened(lines, 400);
    for (const second of [2_299, 3, 1_700, 999, 1_000, 1_001, 0, 2_299, 501]) {
      player.seek(FROM + second * 1_000);
      expect(shown(player)).toEqual(truth(lines, FROM + second * 1_000));
    }
  });

  it("stands until what comes next is known, and never beyond it", async () => {
    const lines = Array.from({ length: 30 }, (_, n): PastLine => [FROM + (n + 1) * 60_000, "report:c", n + 1, feature("report:c", n + 1)]);
    const held = archiveOf(lines, 5);
    let let_go = (): void => {};
    const gate = new Promise<void>((resolve) => (let_go = resolve));
    const player = await Player.open({ ...held, page: (from, to, board) => (board ? held.page(from, to, board) : gate.then(() => held.page(from, to, board))) }, FROM, FROM + HOUR);
    player.seek(FROM + 20 * 60_000);
    expect(player.state).toMatchObject({ at: FROM + 5 * 60_000, waiting: true });
    let_go();
    await player.readTo(FROM + 20 * 60_000);
    expect(player.state).toMatchObject({ at: FROM + 20 * 60_000, waiting: false });
    expect(shown(player)).toEqual(truth(lines, FROM + 20 * 60_000));
  });

  it("says that it could not be read, and is read again", async () => {
    const held = archiveOf([[FROM + 1, "report:c", 1, feature("report:c", 1)], [FROM + 2, "report:c", 2, null]], 1);
    let broken = true;
    const player = await Player.open({ ...held, page: (from, to, board) => (broken && !board ? Promise.reject(new Error("off")) : held.page(from, to, board)) }, FROM, FROM + HOUR);
    player.seek(FROM + HOUR);
    await player.readTo(FROM + HOUR);
    expect(player.state).toMatchObject({ failed: true, playing: false });
    broken = false;
    player.seek(FROM + HOUR);
    await player.readAhead();
    expect(player.state.failed).toBe(false);
  });

  it("marks each SOS and each incident once that became a P1, and steps from change to change", async () => {
    const lines: PastLine[] = [
      [FROM + 1_000, "incident:b", 1, feature("incident:b", 1)],
      [FROM + 2_000, "incident:b", 2, feature("incident:b", 2)],
      [FROM + 3_000, "sos:e", 1, feature("sos:e", 1)],
      [FROM + 4_000, "sos:e", 2, feature("sos:e", 2)],
    ];
    const player = await opened(lines);
    expect(player.state.marks).toEqual([
      { at: FROM + 2_000, kind: "p1", subject: "incident:b", name: "" },
      { at: FROM + 3_000, kind: "sos", subject: "sos:e", name: "" },
    ]);
    player.seek(FROM);
    expect([player.nextEvent(), player.state.at, player.nextEvent(), player.state.at]).toEqual([true, FROM + 1_000, true, FROM + 2_000]);
    player.seek(FROM + HOUR);
    expect(player.nextEvent()).toBe(false);
    player.previousEvent();
    expect(player.state.at).toBe(FROM + 4_000);
    player.previousEvent();
    expect(player.state.at).toBe(FROM + 3_000);
    player.seek(FROM + 500);
    player.previousEvent();
    expect(player.state.at).toBe(FROM);
  });

  it("shows no unit where it was at another moment while it does not know, and says where nothing is kept", async () => {
    const outside = archiveOf([]);
    const slow = { ...outside, places: (from: string, to: string) => (Date.parse(from) > FROM ? new Promise<never>(() => {}) : outside.places(from, to)) };
    const player = await Player.open(slow, FROM, FROM + HOUR);
    await player.readTo(FROM);
    player.seek(FROM + 60_000);
    expect([player.state.places, player.board.positions.has(UNIT)]).toEqual(["known", true]);
    player.seek(FROM + 40 * 60_000);
    expect([player.state.places, player.board.positions.has(UNIT)]).toEqual(["asked", false]);

    const old = { ...outside, page: async (from: string, to: string, board: boolean) => ({ ...(await outside.page(from, to, board)), tracks_since: new Date(FROM + HOUR).toISOString() }) };
    const forgotten = await Player.open(old, FROM, FROM + 30 * 60_000);
    await forgotten.readTo(FROM + 60_000);
    expect([forgotten.state.places, forgotten.board.positions.size]).toEqual(["none", 0]);
  });
});
