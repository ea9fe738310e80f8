import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Board } from "./board";
import { ServerClock } from "./clock";
import type { LinkFacts } from "./link";
import { linkName } from "./link";
import { Stream, type Outside } from "./stream";
import type { Feature, Line } from "./wire";

const EPOCH = "e1";
const feature = (subject: string, version: number): Feature => ({
  type: "Feature",
  geometry: null,
  properties: { subject, id: subject.split(":")[1] ?? "", version },
});
const line = (seq: number, subject: string, version: number, drop = false): Line & { type: "line" } => ({
  type: "line",
  seq,
  subject,
  version,
  feature: drop ? null : feature(subject, version),
});

class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: { type: string; resume: unknown }[] = [];
  closed = false;
  send(text: string) {
    this.sent.push(JSON.parse(text) as { type: string; resume: unknown });
  }
  close() {
    this.closed = true;
  }
  say(frame: object) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  hello() {
    this.onopen?.();
    return this.sent[0];
  }
  die(code = 1006) {
    this.onclose?.({ code });
  }
}

function room(get: Outside["get"] = () => Promise.resolve({ status: 0, body: null })) {
  const sockets: FakeSocket[] = [];
  const board = new Board();
  const facts: LinkFacts = { lastHeard: null, startedAt: 0, lag: 0, expired: false, backAt: null };
  const told = { current: [] as [number, boolean][], attempts: [] as number[], expired: 0, polling: false };
  const stream = new Stream(
    "ws://here/feed",
    board,
    new ServerClock(() => Date.now()),
    {
      heard: (at) => (facts.lastHeard = at),
      connecting: (attempt) => told.attempts.push(attempt),
      current: (changes, first) => told.current.push([changes, first]),
      expired: () => {
        told.expired += 1;
        facts.expired = true;
      },
      bus: () => undefined,
      polling: (on) => (told.polling = on),
    },
    {
      open: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      get,
      now: () => Date.now(),
      random: () => 0.5,
    },
  );
  facts.startedAt = Date.now();
  const snapshot = (seq: number, ...features: Feature[]) => ({ type: "snapshot", epoch: EPOCH, seq, server_time: new Date().toISOString(), features, positions: [] });
  const beat = (seq: number) => ({ type: "heartbeat", seq, server_time: new Date().toISOString(), bus: true });
  const name = () => linkName(facts, Date.now());
  const last = () => sockets.at(-1) ?? new FakeSocket();
  return { stream, board, sockets, told, snapshot, beat, name, last };
}

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

describe("the stream", () => {
  it("says hello without a cursor, takes the snapshot and is live", () => {
    const { stream, board, told, snapshot, name, last } = room();
    stream.start();
    expect(last().hello()).toEqual({ type: "hello", resume: null });
    last().say(snapshot(7, feature("incident:a", 1)));
    expect(board.features.has("incident:a")).toBe(true);
    expect(told.current).toEqual([[1, true]]);
    expect(name()).toBe("live");
  });

  it("resumes from the heartbeat's number within a second and counts what changed", () => {
    const { stream, board, told, snapshot, beat, last, sockets } = room();
    stream.start();
    last().hello();
    last().say(snapshot(7, feature("incident:a", 1), feature("incident:b", 1)));
    last().say(line(9, "incident:a", 2));
    last().say(beat(12));
    last().die();
    vi.advanceTimersByTime(1_000);
    expect(sockets).toHaveLength(2);
    expect(last().hello()?.resume).toEqual({ epoch: EPOCH, seq: 12 });
    last().say({ type: "resumed", epoch: EPOCH, seq: 20, server_time: new Date().toISOString(), lines: [line(14, "incident:a", 2), line(15, "incident:b", 2, true)], positions: [] });
    expect(board.features.has("incident:b")).toBe(false);
    expect(told.current.at(-1)).toEqual([1, false]);
    expect(stream.cursor).toEqual({ epoch: EPOCH, seq: 20 });
  });

  it("waits 1-2-5-10 s between later tries, and for ever", () => {
    const { stream, snapshot, last, sockets } = room();
    stream.start();
    last().hello();
    last().say(snapshot(1));
    last().die();
    const waits: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      const before = Date.now();
      const count = sockets.length;
      while (sockets.length === count) vi.advanceTimersByTime(100);
      waits.push((Date.now() - before) / 1000);
      last().hello();
      last().die();
    }
    expect(waits).toEqual([0.5, 1, 2, 5, 10, 10, 10]);
  });

  it("judges a half-open socket by its silence: late at 9 s, left behind at 10, offline at 30", () => {
    const { stream, snapshot, name, last, sockets } = room();
    stream.start();
    const half = last();
    half.hello();
    half.say(snapshot(1));
    vi.advanceTimersByTime(8_900);
    expect(name()).toBe("live");
    vi.advanceTimersByTime(200);
    expect(name()).toBe("late");
    vi.advanceTimersByTime(3_000);
    expect(half.closed).toBe(true);
    expect(sockets.length).toBeGreaterThan(1);
    vi.advanceTimersByTime(18_000);
    expect(name()).toBe("offline");
    last().hello();
    last().say(snapshot(3));
    expect(name()).toBe("live");
  });

  it("leaves a socket that never opens or never answers the hello", () => {
    const { stream, last, sockets } = room();
    stream.start();
    vi.advanceTimersByTime(8_100);
    expect(sockets.length).toBe(2);
    last().hello();
    vi.advanceTimersByTime(10_000);
    expect(sockets.length).toBe(3);
  });

  it("ignores what an abandoned socket still says", () => {
    const { stream, board, snapshot, last, sockets } = room();
    stream.start();
    const old = last();
    old.hello();
    old.say(snapshot(1));
    vi.advanceTimersByTime(13_000);
    expect(sockets.length).toBeGreaterThan(1);
    old.say(line(2, "incident:ghost", 1));
    expect(board.features.size).toBe(0);
  });

  it("skips an older version that comes late, also after a drop", () => {
    const { stream, board, snapshot, last } = room();
    stream.start();
    last().hello();
    last().say(snapshot(1, feature("incident:a", 5)));
    last().say(line(2, "incident:a", 4));
    expect(board.get<{ version: number }>("incident:a")?.version).toBe(5);
    last().say(line(3, "incident:a", 6, true));
    last().say(line(2, "incident:a", 5));
    expect(board.features.has("incident:a")).toBe(false);
  });

  it("replaces everything with a snapshot of another epoch, whatever its versions", () => {
    const { stream, board, snapshot, last, told } = room();
    stream.start();
    last().hello();
    last().say(snapshot(50, feature("incident:a", 9), feature("incident:b", 9)));
    last().die();
    vi.advanceTimersByTime(600);
    last().hello();
    last().say({ ...snapshot(2, feature("incident:a", 1)), epoch: "e2" });
    expect(board.get<{ version: number }>("incident:a")?.version).toBe(1);
    expect(board.features.has("incident:b")).toBe(false);
    expect(stream.cursor).toEqual({ epoch: "e2", seq: 2 });
    expect(told.current.at(-1)).toEqual([2, false]);
  });

  it("takes a snapshot in mid-flight (rights changed) without calling it a return", () => {
    const { stream, board, snapshot, last, told } = room();
    stream.start();
    last().hello();
    last().say(snapshot(1, feature("incident:a", 1)));
    last().say(snapshot(2));
    expect(board.features.size).toBe(0);
    expect(told.current).toHaveLength(1);
  });

  it("stops at 4401 and begins again after signing in", () => {
    const { stream, snapshot, last, told, name, sockets } = room();
    stream.start();
    last().hello();
    last().say(snapshot(1));
    last().die(4401);
    expect(told.expired).toBe(1);
    expect(name()).toBe("expired");
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    stream.start();
    expect(last().hello()?.resume).toEqual({ epoch: EPOCH, seq: 1 });
  });

  it("does not fall over what it does not understand", () => {
    const { stream, board, snapshot, last } = room();
    stream.start();
    last().hello();
    last().say(snapshot(1));
    last().onmessage?.({ data: "{broken" });
    last().say({ type: "from-the-future", seq: 3 });
    last().say(line(4, "incident:a", 1));
    expect(board.features.size).toBe(1);
  });

  it("polls where WebSockets are blocked, asks for a snapshot on 410, and expires on 401", async () => {
    let status = 200;
    const asked: string[] = [];
    const { stream, board, last, told } = room((path) => {
      asked.push(path);
      if (path === "/snapshot") return Promise.resolve({ status: 200, body: { epoch: EPOCH, seq: 5, server_time: new Date().toISOString(), features: [feature("incident:a", 1)], positions: [] } });
      return Promise.resolve({ status, body: status === 200 ? { epoch: EPOCH, seq: 6, lines: [line(6, "incident:a", 2)] } : null });
    });
    stream.start();
    for (let i = 0; i < 3; i += 1) {
      last().die();
      await vi.advanceTimersByTimeAsync(2_100);
    }
    expect(told.polling).toBe(true);
    expect(asked[0]).toBe("/snapshot");
    await vi.advanceTimersByTimeAsync(2_100);
    expect(board.get<{ version: number }>("incident:a")?.version).toBe(2);
    status = 410;
    await vi.advanceTimersByTimeAsync(4_200);
    expect(asked.filter((path) => path === "/snapshot").length).toBeGreaterThan(1);
    status = 401;
    await vi.advanceTimersByTimeAsync(4_200);
    expect(told.expired).toBe(1);
  });

  it("prefers the socket again as soon as one opens", async () => {
    const { stream, last, told, snapshot, sockets } = room(() => Promise.resolve({ status: 200, body: { epoch: EPOCH, seq: 5, server_time: new Date().toISOString(), features: [], positions: [], lines: [] } }));
    stream.start();
    for (let i = 0; i < 3; i += 1) {
      last().die();
      await vi.advanceTimersByTimeAsync(2_100);
    }
    const count = sockets.length;
    while (sockets.length === count) await vi.advanceTimersByTimeAsync(1_000);
    last().hello();
    last().say(snapshot(9));
    expect(told.polling).toBe(false);
  });
});

/** A server with a history, behind a line that loses, repeats and disorders what it is given, and is cut. */
class FarServer {
  seq = 0;
  told = 0;
  private readonly current = new Map<string, Line & { type: "line" }>();
  private readonly answered = new Set<FakeSocket>();
  private late: object[] = [];

  constructor(private readonly sockets: FakeSocket[]) {}

  truth(): string[] {
    return [...this.current.values()].filter((one) => one.feature !== null).map(({ subject, version }) => `${subject}@${version}`).sort();
  }

  /** The socket in use, welcomed first. */
  private line(): FakeSocket | null {
    const socket = this.sockets.at(-1);
    if (!socket || socket.closed || !socket.onopen) return null;
    if (!this.answered.has(socket)) {
      this.answered.add(socket);
      this.late = [];
      const resume = socket.hello()?.resume as { seq: number } | null | undefined;
      const common = { epoch: EPOCH, seq: this.seq, server_time: new Date().toISOString(), positions: [] };
      const all = [...this.current.values()];
      if (resume) socket.say({ type: "resumed", ...common, lines: all.filter(({ seq }) => seq > resume.seq) });
      else socket.say({ type: "snapshot", ...common, features: all.flatMap(({ feature: whole }) => whole ?? []) });
      socket.say(this.beat(this.told));
    }
    return socket;
  }

  private beat(base?: number) {
    return { type: "heartbeat", seq: this.seq, server_time: new Date().toISOString(), bus: true, told: this.told, ...(base === undefined ? {} : { base }) };
  }

  /** A change happens whether anybody hears it or not. */
  change(subject: string, drop: boolean, fate: Fate): void {
    const socket = this.line();
    this.seq += 1;
    const happened = line(this.seq, subject, (this.current.get(subject)?.version ?? 0) + 1, drop);
    this.current.set(subject, happened);
    if (!socket) return;
    this.told += 1;
    this.carry(socket, happened, fate);
  }

  pulse(fate: Fate): void {
    const socket = this.line();
    if (socket) this.carry(socket, this.beat(), fate);
  }

  cut(): void {
    this.sockets.at(-1)?.die();
  }

  private carry(socket: FakeSocket, frame: object, fate: Fate): void {
    if (fate === "late") return void this.late.push(frame);
    if (fate !== "lost") socket.say(frame);
    if (fate === "twice") socket.say(frame);
    for (const held of this.late.splice(0)) socket.say(held);
  }
}

type Fate = "arrives" | "lost" | "twice" | "late";

describe("a bad line", () => {
  const fate = fc.constantFrom<Fate>("arrives", "arrives", "arrives", "lost", "twice", "late");
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("change" as const), subject: fc.constantFrom("incident:a", "incident:b", "report:c", "unit:d"), drop: fc.boolean(), fate }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("pulse" as const), fate }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), seconds: fc.constantFrom(0, 5, 20, 90) }) },
  );

  it("ends at the server's truth whatever it lost, repeated, disordered or cut off for five, twenty or ninety seconds", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { stream, board, sockets } = room();
        const server = new FarServer(sockets);
        stream.start();
        server.pulse("arrives");
        for (const each of steps) {
          if (each.kind === "change") server.change(each.subject, each.drop, each.fate);
          else if (each.kind === "pulse") server.pulse(each.fate);
          else {
            server.cut();
            vi.advanceTimersByTime(each.seconds * 1_000);
          }
          vi.advanceTimersByTime(300);
        }
        // The line is good again. One heartbeat shows what is missing, the next connection brings it.
        for (let beats = 0; beats < 8; beats += 1) {
          server.pulse("arrives");
          vi.advanceTimersByTime(5_000);
        }
        const shown = [...board.features.values()].map(({ properties }) => `${properties.subject}@${properties.version}`).sort();
        expect(shown).toEqual(server.truth());
        stream.stop();
      }),
      { numRuns: 500 },
    );
  });

  it("is left at the heartbeat that counts more than came, and its lines are asked for again", () => {
    const { stream, board, sockets } = room();
    const server = new FarServer(sockets);
    stream.start();
    server.change("incident:a", false, "arrives");
    server.pulse("arrives");
    const before = stream.cursor?.seq;
    server.change("incident:b", false, "lost");
    server.change("incident:c", false, "arrives");
    server.pulse("arrives");
    expect(sockets[0]?.closed).toBe(true);
    expect(stream.cursor?.seq).toBe(before);
    vi.advanceTimersByTime(1_000);
    server.pulse("arrives");
    expect([...board.features.keys()].sort()).toEqual(["incident:a", "incident:b", "incident:c"]);
    expect(sockets).toHaveLength(2);
  });
});
