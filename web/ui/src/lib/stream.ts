/**
 * The live feed: one WebSocket, resumed from a cursor, judged by the last message heard and not by what the socket believes.
 * Where WebSockets are blocked it polls `GET /events`. docs/api.md has the protocol.
 */
import type { Board } from "./board";
import type { ServerClock } from "./clock";
import { LATE_AFTER } from "./link";
import type { Events, Frame, Heartbeat, Resumed, Snapshot } from "./wire";
import { readFrame } from "./wire";

export interface Cursor {
  epoch: string;
  seq: number;
}

/** What the stream needs of the outside, so that tests can hold the time and the network. */
export interface Outside {
  open(url: string): WebSocket;
  /** GET of JSON; `status` 0 means the network failed. */
  get(path: string): Promise<{ status: number; body: unknown }>;
  now(): number;
  random(): number;
}

export interface Watcher {
  /** Something was heard from the server. */
  heard(at: number): void;
  /** A try to connect begins; `attempt` counts from 1 since the last success. */
  connecting(attempt: number): void;
  /** We are true again; `changes` subjects changed since the last time. `first` on the first load. */
  current(changes: number, first: boolean): void;
  expired(): void;
  bus(healthy: boolean): void;
  polling(on: boolean): void;
}

const STEPS = [1_000, 1_000, 2_000, 5_000, 10_000];
const GIVE_UP_CONNECTING = 6_000;
const SILENCE = LATE_AFTER + 1_000;
const BLOCKED_AFTER = 3;
const POLL_EVERY = 2_000;
const RETRY_SOCKET_EVERY = 30_000;
const SESSION_OVER = 4401;

export class Stream {
  cursor: Cursor | null = null;
  private socket: WebSocket | null = null;
  private attempt = 0;
  private neverOpened = 0;
  /** How many lines the server had told when it last said so, and which came since: when it next says more than that, some were lost. */
  private told: number | null = null;
  private readonly taken = new Set<number>();
  private lastHeard = 0;
  private socketHeard = 0;
  private started = 0;
  private stopped = true;
  private loaded = false;
  private polling = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private pulse: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly url: string,
    private readonly board: Board,
    private readonly clock: ServerClock,
    private readonly watcher: Watcher,
    private readonly outside: Outside,
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.attempt = 0;
    this.pulse = setInterval(() => this.check(), 1_000);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.polling = false;
    if (this.timer) clearTimeout(this.timer);
    if (this.pulse) clearInterval(this.pulse);
    this.timer = this.pulse = null;
    this.leave();
  }

  /** Try now: someone pressed the button, the network says it is back, or the tab is looked at again. */
  nudge(): void {
    if (this.stopped || (this.socket && this.outside.now() - this.socketHeard < LATE_AFTER)) return;
    this.leave();
    this.connect();
  }

  /** Judged by silence: a half-open socket says nothing and is left for a new one. */
  private check(): void {
    if (!this.socket) return;
    const now = this.outside.now();
    const waiting = this.socketHeard < this.started;
    if (waiting ? now - this.started > GIVE_UP_CONNECTING : now - this.socketHeard > SILENCE) this.lost();
  }

  private connect(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.attempt += 1;
    this.started = this.outside.now();
    this.watcher.connecting(this.attempt);
    let opened = false;
    let socket: WebSocket;
    try {
      socket = this.outside.open(this.url);
    } catch {
      this.neverOpened += 1;
      this.again();
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      opened = true;
      this.neverOpened = 0;
      socket.send(JSON.stringify({ type: "hello", resume: this.cursor }));
    };
    socket.onmessage = (event) => {
      if (this.socket === socket && typeof event.data === "string") this.take(readFrame(event.data));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      if (!opened) this.neverOpened += 1;
      if (event.code === SESSION_OVER) this.expire();
      else this.lost();
    };
  }

  private take(frame: Frame | null): void {
    if (!frame || this.stopped) return;
    this.lastHeard = this.socketHeard = this.outside.now();
    switch (frame.type) {
      case "snapshot":
      case "resumed":
        this.polling = false;
        this.watcher.polling(false);
        this.catchUp(frame);
        break;
      case "line":
        this.board.apply(frame);
        if (frame.seq > (this.cursor?.seq ?? 0)) this.taken.add(frame.seq);
        break;
      case "positions":
        this.board.move(frame.units);
        break;
      case "heartbeat":
        if (!this.allCame(frame)) return this.lost(); // the cursor stays where all was there, and is resumed from
        if (this.cursor) this.cursor.seq = Math.max(this.cursor.seq, frame.seq);
        this.clock.heard(frame.server_time);
        this.watcher.bus(frame.bus);
        break;
    }
    this.watcher.heard(this.lastHeard);
  }

  /** Whether the lines up to a heartbeat, since the one before, are as many as the server told. */
  private allCame({ seq, told, base }: Heartbeat): boolean {
    if (told === undefined) return true; // a server of before this was counted, while a new version spreads
    let came = 0;
    for (const each of this.taken) if (each <= seq && this.taken.delete(each)) came += 1;
    const expected = told - (this.told ?? base ?? NaN);
    this.told = told;
    return came === expected;
  }

  private catchUp(frame: Snapshot | Resumed): void {
    this.told = null;
    this.taken.clear();
    this.clock.heard(frame.server_time);
    this.cursor = { epoch: frame.epoch, seq: frame.seq };
    let changes = 0;
    if ("features" in frame) {
      changes = this.board.replace(frame.features);
      this.board.replacePositions(frame.positions);
    } else {
      for (const line of frame.lines) if (this.board.apply(line)) changes += 1;
      this.board.move(frame.positions);
    }
    const first = !this.loaded;
    this.loaded = true;
    const wasTrying = this.attempt > 0;
    this.attempt = 0;
    if (first || wasTrying) this.watcher.current(changes, first);
  }

  private leave(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It was never open.
    }
  }

  private lost(): void {
    this.leave();
    if (this.stopped) return;
    if (this.neverOpened >= BLOCKED_AFTER && !this.polling) void this.poll();
    this.again();
  }

  private again(): void {
    if (this.stopped) return;
    const step = this.polling ? RETRY_SOCKET_EVERY : (STEPS[Math.min(this.attempt, STEPS.length - 1)] ?? 10_000);
    // The first try always comes within the second; later ones are spread so that a whole room does not knock at once.
    const wait = step * (this.attempt === 0 ? this.outside.random() : 0.8 + 0.4 * this.outside.random());
    this.timer = setTimeout(() => this.connect(), wait);
  }

  private expire(): void {
    this.stop();
    this.watcher.expired();
  }

  /** The fallback: the same lines over plain requests, until a socket opens again. */
  private async poll(): Promise<void> {
    this.polling = true;
    while (this.polling && !this.stopped) {
      const cursor = this.cursor;
      const path = cursor ? `/events?epoch=${encodeURIComponent(cursor.epoch)}&after=${cursor.seq}` : "/snapshot";
      const { status, body } = await this.outside.get(path);
      if (!this.polling || this.stopped) return;
      if (status === 401) return this.expire();
      if (status === 410) {
        this.cursor = null;
        continue;
      }
      if (status === 200) {
        this.lastHeard = this.outside.now();
        this.watcher.polling(true);
        if (cursor) this.takeEvents(body as Events);
        else this.catchUp(body as Snapshot);
        this.watcher.heard(this.lastHeard);
      }
      await new Promise((resume) => setTimeout(resume, POLL_EVERY));
    }
  }

  private takeEvents({ epoch, seq, lines, positions, server_time }: Events): void {
    let changes = 0;
    for (const line of lines) if (this.board.apply(line)) changes += 1;
    if (positions) this.board.move(positions);
    if (server_time) this.clock.heard(server_time);
    this.cursor = { epoch, seq };
    if (this.attempt > 0) this.watcher.current(changes, false);
    this.attempt = 0;
  }
}
