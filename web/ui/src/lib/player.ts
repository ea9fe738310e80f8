/**
 * Lets `sounds.ts` be heard: Web Audio, nothing fetched. One window of a seat sounds; a browser that wants a gesture first is told so.
 * Each sound is an event (`vigia:sound`) and a mark of the page's performance, so that it can be seen what was played.
 */
import { createStore } from "zustand/vanilla";
import { useStore } from "zustand";
import { newId } from "./api";
import { clock } from "./clock";
import { LATE_AFTER } from "./link";
import { link, present } from "./live";
import { prefs } from "./prefs";
import { tellSoundings, type Told } from "./seat";
import { session } from "./session";
import { cameLately, EARCONS, gainOf, next, QUIET, ringingAt, type Earcon, type Ringing, type Scheduler, type Sounding } from "./sounds";

const LOOK_EVERY = 250;
const TELL_EVERY = 15_000;
const SEAT_EVERY = 600_000;
const MOST_KEPT = 500;
const A_BATCH = 200;
const LOCK = "vigia:sonido";
const RISE = 0.012;
const LOUDEST = 0.5;

export interface SoundState {
  /** The browser lets nothing sound until somebody touches this window. */
  blocked: boolean;
  /** Another window of this seat sounds. */
  elsewhere: boolean;
  flood: boolean;
  /** Alarms that could be heard here, in the last ten minutes. */
  lately: number;
  suppressed: ReadonlySet<string>;
}

export const sound = createStore<SoundState>(() => ({ blocked: false, elsewhere: false, flood: false, lately: 0, suppressed: new Set() }));
export const useSound = <T,>(select: (state: SoundState) => T): T => useStore(sound, select);

/* ------------------------------------------------------------ the tones */

let context: AudioContext | null = null;
let playing: GainNode | null = null;

function ring(earcon: Earcon, gain: number): void {
  if (context?.state !== "running") return;
  const begin = context.currentTime + 0.02;
  if (playing) playing.gain.setTargetAtTime(0, context.currentTime, RISE); // a graver one does not wait
  const out = context.createGain();
  out.gain.value = gain * LOUDEST;
  out.connect(context.destination);
  playing = out;
  for (const { hz, at, lasts } of EARCONS[earcon]) {
    const [from, to] = [begin + at, begin + at + lasts];
    const tone = context.createOscillator();
    tone.type = "triangle"; // harmonics: heard over voices, and told from a telephone
    tone.frequency.value = hz;
    const shape = context.createGain();
    shape.gain.setValueAtTime(0, from);
    shape.gain.linearRampToValueAtTime(1, from + RISE);
    shape.gain.setValueAtTime(1, to - RISE);
    shape.gain.linearRampToValueAtTime(0, to);
    tone.connect(shape).connect(out);
    tone.start(from);
    tone.stop(to);
  }
}

function play(earcon: Earcon, subjects: string[]): void {
  const { volume, vibration } = prefs.getState();
  const gain = gainOf(earcon, volume);
  ring(earcon, gain);
  if (vibration && (earcon === "sos" || earcon === "p1") && "vibrate" in navigator) navigator.vibrate(earcon === "sos" ? [300, 100, 300, 100, 300] : [200, 100, 200]);
  const detail = { earcon, subjects, gain };
  dispatchEvent(new CustomEvent("vigia:sound", { detail }));
  if (performance.getEntriesByName("vigia:sound").length >= MOST_KEPT) performance.clearMarks("vigia:sound");
  performance.mark("vigia:sound", { detail });
}

/* ------------------------------------------------------------ one window, and a gesture */

const GESTURES = ["pointerup", "mousedown", "keydown", "touchend"] as const;
let holds = false;
let asked = false;

/** Wakes the audio; answers whether it runs. Only within somebody's gesture does the browser allow it. */
export async function wake(): Promise<boolean> {
  try {
    await context?.resume();
  } catch {
    // It stays blocked, and says so.
  }
  heed();
  return context?.state === "running";
}
const onGesture = (): void => void (context?.state === "running" || wake());

function heed(): void {
  const blocked = context?.state !== "running";
  if (!blocked && !asked) {
    asked = true;
    // Without locks (plain HTTP that is not localhost) every window sounds: rather twice than never.
    if (!("locks" in navigator)) holds = true;
    else
      void navigator.locks.request(LOCK, () => {
        holds = true;
        show({ elsewhere: false });
        return new Promise<never>(() => undefined); // until this window closes
      });
  }
  show({ blocked });
}

async function lookElsewhere(): Promise<void> {
  if (holds || !("locks" in navigator)) return;
  const { held } = await navigator.locks.query();
  show({ elsewhere: !holds && (held ?? []).some(({ name }) => name === LOCK) });
}

function show(change: Partial<SoundState>): void {
  const held = sound.getState();
  if (Object.entries(change).some(([name, value]) => held[name as keyof SoundState] !== value)) sound.setState(change);
}

/* ------------------------------------------------------------ what was heard, told to the server */

let untold: Told[] = [];
let telling = false;
let seatTold = -Infinity;
const silenced = new Set<string>();

function note(earcon: Told["earcon"], about = "", sounded = true): void {
  untold = [...untold, { id: newId(), earcon, at: new Date(clock.now()).toISOString(), about, sounded }].slice(-MOST_KEPT);
}

async function tell(): Promise<void> {
  if (telling || !session.getState().session?.permissions.includes("report.triage")) return;
  if (!sound.getState().elsewhere && performance.now() - seatTold >= SEAT_EVERY) {
    seatTold = performance.now();
    note("seat");
  }
  if (untold.length === 0 || link.getState().name === "expired") return;
  telling = true;
  const batch = untold.slice(0, A_BATCH);
  try {
    await tellSoundings(batch);
    untold = untold.slice(batch.length);
  } catch {
    // Told with the next.
  } finally {
    telling = false;
  }
}

/** Whoever sits here tried the sound; what they said of it. */
export function noteTest(heard: boolean): void {
  note("test", "", heard);
  void tell();
}

export function playTest(): void {
  play("test", []);
}

/* ------------------------------------------------------------ the clockwork */

let state: Scheduler = QUIET;

function isUp(): boolean | null {
  const { name, age } = link.getState();
  if (name === "connecting" || name === "expired") return null;
  return name !== "offline" && age !== null && age * 1000 < LATE_AFTER;
}

function look(): void {
  const person = session.getState().session?.person;
  if (!person) return;
  const ringing: Ringing[] = ringingAt({ role: person.role, desk: prefs.getState().desk }, clock.now(), present.sos(), present.incidents(), present.alarms());
  const silent = context?.state !== "running" || !holds;
  const now = performance.now();
  const [after, sounding] = next(state, { now, ringing, storm: present.storm() !== null, up: isUp(), silent });
  state = after;
  if (sounding) heardHere(sounding);
  if (holds) for (const subject of after.suppressed) keptSilent(subject);
  show({ flood: after.flood, lately: cameLately(after, now) });
  const shown = sound.getState().suppressed;
  if (shown.size !== after.suppressed.size || [...after.suppressed].some((subject) => !shown.has(subject))) sound.setState({ suppressed: after.suppressed });
}

function heardHere({ earcon, subjects, first }: Sounding): void {
  play(earcon, subjects);
  if (earcon === "soft" || earcon === "lost" || earcon === "back") note(earcon);
  else for (const subject of first) note(earcon as Told["earcon"], subject);
}

function keptSilent(subject: string): void {
  if (silenced.has(subject)) return;
  silenced.add(subject);
  note("unit", subject, false);
}

let begun = false;

/** Once per window, with a session. */
export function startSounds(): void {
  if (begun) return;
  begun = true;
  try {
    context = new AudioContext({ latencyHint: "interactive" });
    context.onstatechange = heed;
  } catch {
    // No audio here: the bar stays and says so.
  }
  heed();
  for (const gesture of GESTURES) addEventListener(gesture, onGesture, { capture: true });
  void lookElsewhere();
  setInterval(() => void lookElsewhere(), 2_000);
  setInterval(look, LOOK_EVERY);
  setInterval(() => void tell(), TELL_EVERY);
  // In the background timers are held back; what the feed brings is not.
  present.store.subscribe(look);
  link.subscribe(look);
}
