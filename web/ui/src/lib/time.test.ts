import { describe, expect, it } from "vitest";
import { newId } from "./api";
import { ServerClock } from "./clock";
import { age, ago, distance, hourSeconds, running } from "./format";
import { linkName, type LinkFacts } from "./link";

describe("time in words", () => {
  it("runs timers and says ages", () => {
    expect(running(34_900)).toBe("00:34");
    expect(running(3_760_000)).toBe("1:02:40");
    expect(running(-5)).toBe("00:00");
    expect(age(59_000)).toBe("59 s");
    expect(age(185_000)).toBe("3 min");
    expect(ago(0, 4_000)).toBe("recién");
    expect(ago(0, 240_000)).toBe("hace 4 min");
    expect(distance(847)).toBe("850 m");
    expect(distance(1_240)).toBe("1,2 km");
  });

  it("speaks the city's hour, not the PC's", () => {
    expect(hourSeconds("2026-11-22T12:00:05Z")).toBe("09:00:05");
  });

  it("keeps the server's clock by the quickest word and measures lag", () => {
    let mine = 1_000;
    const clock = new ServerClock(() => mine);
    const base = Date.parse("2026-11-22T12:00:00Z");
    clock.heard("2026-11-22T12:00:00Z");
    mine += 5_000;
    clock.heard("2026-11-22T12:00:03Z");
    expect(clock.lag).toBe(2_000);
    expect(clock.now()).toBe(base + 5_000);
    mine += 1_000;
    clock.heard("2026-11-22T12:00:07Z");
    expect(clock.lag).toBe(0);
    expect(clock.now()).toBe(base + 7_000);
  });
});

describe("the state of the link", () => {
  const facts = (values: Partial<LinkFacts>): LinkFacts => ({ lastHeard: 0, startedAt: 0, lag: 0, expired: false, backAt: null, ...values });
  it("goes by the age of the last message", () => {
    expect(linkName(facts({ lastHeard: null }), 3_000)).toBe("connecting");
    expect(linkName(facts({ lastHeard: null }), 11_000)).toBe("offline");
    expect(linkName(facts({}), 9_000)).toBe("live");
    expect(linkName(facts({}), 9_001)).toBe("late");
    expect(linkName(facts({}), 30_001)).toBe("offline");
    expect(linkName(facts({ lag: 6_000 }), 1_000)).toBe("late");
    expect(linkName(facts({ backAt: 0 }), 4_000)).toBe("back");
    expect(linkName(facts({ backAt: 0, lastHeard: 5_000 }), 6_000)).toBe("live");
    expect(linkName(facts({ expired: true }), 1_000)).toBe("expired");
  });
});

describe("small things", () => {
  it("makes UUIDv7 ids that sort by time", () => {
    const [a, b] = [newId(1_000_000), newId(1_000_001)];
    expect(a).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(a < b).toBe(true);
  });
});
