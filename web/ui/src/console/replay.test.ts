import { afterEach, describe, expect, it, vi } from "vitest";
import { Refusal } from "../lib/api";
import { board, present } from "../lib/live";
import { inPast, moment } from "../lib/moment";
import type { Archive, PastPage } from "../lib/replay";
import type { Feature, TimelineEntry } from "../lib/wire";
import { desk } from "./desk";
import { lookBack, replay, shift, toPresent } from "./replay";
import { knownAt } from "./Timeline";

const FROM = Date.parse("2026-11-12T03:00:00.000Z");
const HOUR = 3_600_000;
const feature = (subject: string, version = 1): Feature => ({ type: "Feature", geometry: null, properties: { subject, id: subject, version } }) as Feature;

const pageOf = (from: string, to: string, board: boolean): PastPage => ({ from, to, complete_to: to, begins_at: from, tracks_since: from, features: board ? [feature("incident:then")] : null, lines: [] });
const archive: Archive = { page: (from, to, board) => Promise.resolve(pageOf(from, to, board)), places: () => Promise.resolve({}) };
const subjects = () => [...board.features.keys()];

afterEach(() => toPresent());

describe("looking back", () => {
  it("puts board and clock back, and brings everything again as one left it", async () => {
    present.replace([feature("incident:now")]);
    desk.setState({ selected: "incident:now", form: "close", place: [-60, -33], pane: "card", list: false, major: "m", storm: "end", sheet: null });
    expect(await lookBack(FROM, FROM + HOUR, FROM + 1_000, archive)).toBe(true);
    expect([inPast(), moment.getState().past, subjects()]).toEqual([true, FROM + 1_000, ["incident:then"]]);
    expect(desk.getState()).toMatchObject({ selected: "incident:now", form: null, place: null, major: null, storm: null });

    replay.getState().player?.seek(FROM + 60_000);
    expect(moment.getState().past).toBe(FROM + 60_000);
    desk.setState({ selected: "incident:then" });
    await lookBack(FROM - HOUR, FROM, FROM - HOUR, archive); // another hour from within the past
    expect(moment.getState().past).toBe(FROM - HOUR);
    present.apply({ seq: 1, subject: "incident:new", version: 1, feature: feature("incident:new") });
    expect(subjects()).toEqual(["incident:then"]);

    toPresent();
    expect([inPast(), subjects()]).toEqual([false, ["incident:now", "incident:new"]]);
    expect(desk.getState()).toMatchObject({ selected: "incident:now", form: "close", place: [-60, -33], pane: "card", major: "m", storm: "end" });
  });

  it("leads to what cannot wait", async () => {
    desk.setState({ selected: "incident:now", form: "close" });
    await lookBack(FROM, FROM + HOUR, FROM, archive);
    toPresent("incident:grave");
    expect(desk.getState()).toMatchObject({ selected: "incident:grave", form: null });
  });

  it("begins where the past begins, and stays in the present when nothing of it is kept", async () => {
    const since = FROM + HOUR / 2;
    const page: Archive["page"] = (from, to, board) =>
      Date.parse(from) < since
        ? Promise.reject(new Refusal({ status: 410, code: "BeforeThePast", title: "Lo anterior ya no se guarda.", facts: { since: new Date(since).toISOString() } }))
        : Promise.resolve(pageOf(from, to, board));
    expect(await lookBack(FROM - HOUR, FROM, FROM - HOUR, { ...archive, page })).toBe(false);
    expect([inPast(), replay.getState().failure]).toEqual([false, "Lo anterior ya no se guarda."]);
    expect(await lookBack(FROM, FROM + HOUR, FROM, { ...archive, page })).toBe(true);
    expect(replay.getState().player?.from).toBe(since + 1);
  });

  it("reads the hour again when something in it becomes secret, and is left when that is not to be had", async () => {
    present.replace([feature("incident:now")]);
    let secret = false;
    let fails = false;
    const page: Archive["page"] = (from, to, board) => {
      const features = secret ? [] : [feature("incident:then")];
      const lines: PastPage["lines"] = [[FROM + 90_000, "incident:later", 1, feature("incident:later")]];
      return fails ? Promise.reject(new Error("away")) : Promise.resolve({ ...pageOf(from, to, board), features: board ? features : null, lines });
    };
    await lookBack(FROM, FROM + HOUR, FROM + 60_000, { ...archive, page });
    const mask = (subject: string) => {
      const { properties, ...rest } = feature(subject, 2);
      present.apply({ seq: 1, subject, version: 2, feature: { ...rest, properties: { ...properties, masked: true } } as Feature });
    };
    expect(subjects()).toEqual(["incident:then"]);
    secret = true;
    mask("incident:then");
    await vi.waitFor(() => expect(subjects()).toEqual([]));
    expect(moment.getState().past).toBe(FROM + 60_000);
    mask("incident:elsewhere"); // nothing is told of it there
    expect(replay.getState().opening).toBe(false);
    fails = true;
    mask("incident:later");
    await vi.waitFor(() => expect(inPast()).toBe(false));
  });

  it("is given up when one goes back meanwhile", async () => {
    let answer: (page: PastPage) => void = () => {};
    const slow = lookBack(FROM, FROM + HOUR, FROM, { ...archive, page: () => new Promise((resolve) => (answer = resolve)) });
    toPresent();
    answer(pageOf(new Date(FROM).toISOString(), new Date(FROM + HOUR).toISOString(), true));
    expect([await slow, inPast(), replay.getState().opening]).toEqual([false, false, false]);
    shift(1); // nothing is shown: there is no hour after it
    expect(replay.getState().opening).toBe(false);
  });
});

describe("a story that is cut at a moment", () => {
  it("has no line that was written later, and no note that was struck later", () => {
    const at = (seconds: number) => new Date(FROM + seconds * 1_000).toISOString();
    const line = (id: string, seconds: number, struck: number | null = null) =>
      ({ id, at: at(seconds - 30), recorded_at: at(seconds), kind: "note.added", actor: null, detail: {}, note: { id, text: id, struck: struck === null ? null : { at: at(struck), by: "x", reason: "y" } } }) as TimelineEntry;
    const story = [line("a", 10), line("b", 20, 40), line("c", 50)];
    expect(knownAt(story, FROM + 30_000).map(({ id, note }) => [id, note?.struck?.by])).toEqual([["a", undefined], ["b", undefined]]);
    expect(knownAt(story, FROM + 50_000).map(({ id, note }) => [id, note?.struck?.by])).toEqual([["a", undefined], ["b", "x"], ["c", undefined]]);
  });
});
