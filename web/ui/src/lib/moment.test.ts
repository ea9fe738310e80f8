import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, Refusal } from "./api";
import { clock } from "./clock";
import { refusedInPast } from "./keys";
import { inPast, moment, shownClock } from "./moment";

const THEN = Date.parse("2026-11-12T03:00:00.000Z");
const asked = vi.fn((path: string) => Promise.resolve(new Response(JSON.stringify({ path }), { status: 200 })));

beforeEach(() => {
  asked.mockClear();
  vi.stubGlobal("fetch", asked);
});
afterEach(() => {
  moment.setState({ past: null });
  vi.unstubAllGlobals();
});

describe("while the screen shows the past", () => {
  it("the shown clock says its hour, and the real one goes on", () => {
    expect(shownClock.now()).toBeCloseTo(clock.now(), -3);
    moment.setState({ past: THEN });
    expect([inPast(), shownClock.now()]).toEqual([true, THEN]);
    expect(clock.now()).toBeGreaterThan(THEN + 1_000_000);
    moment.setState({ past: null });
    expect(shownClock.now()).toBeGreaterThan(THEN + 1_000_000);
  });

  it("nothing is changed: what a button missed is refused before it is sent, and is sent in the present", async () => {
    moment.setState({ past: THEN });
    const acts = [
      api("/incidents/1/close", { body: { disposition: "done" } }),
      api("/incidents/1/heard", { method: "POST" }),
      api("/closures/1", { method: "DELETE" }),
      api("/photos", { raw: { body: "x" } }),
      api("/replays", { body: {} }),
    ];
    for (const act of acts) await expect(act).rejects.toMatchObject({ problem: { status: 409, code: "InThePast", title: "Estás mirando el pasado. Volvé al presente para actuar." } });
    await expect(acts[0]).rejects.toBeInstanceOf(Refusal);
    expect(asked).not.toHaveBeenCalled();
    moment.setState({ past: null });
    await api("/incidents/1/close", { body: { disposition: "done" } });
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("looking goes on, and so does what a seat tells of itself", async () => {
    moment.setState({ past: THEN });
    for (const path of ["/replay", "/replay/positions", "/soundings", "/preferences", "/session"]) await api(path, { body: {} });
    await api("/incidents/1/timeline");
    expect(asked).toHaveBeenCalledTimes(6);
  });

  it("keys that act are refused, those that look are not, and no letter does nothing silently", () => {
    for (const name of ["n", "a", "alt+a", "d", "1", "c", "p", "v", "s", "ctrl+enter", "ctrl+z", "g s", "g r", "ctrl+k", "/"]) expect([name, refusedInPast(name, true)]).toEqual([name, true]);
    for (const name of ["d", "r", "9", "shift+x"]) expect([name, refusedInPast(name, false)]).toEqual([name, true]);
    for (const name of ["j", "k", "enter", "escape", "m", "u", "t", " ", "?", "f8", "f", "h", ",", ".", "+", "-", "g p"]) expect([name, refusedInPast(name, true)]).toEqual([name, false]);
    for (const name of ["tab", "arrowdown", "f5", "ctrl+r"]) expect([name, refusedInPast(name, false)]).toEqual([name, false]);
  });
});
