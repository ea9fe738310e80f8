/**
 * The map in a window of its own. Both windows hold their own feed; over a channel each tells the other what is looked at and the place
 * being chosen. The channel's name is this tab's, so two consoles of one PC do not pull at each other's map.
 */
import { t } from "../../lib/i18n";
import { inPast } from "../../lib/moment";
import { say } from "../../lib/toasts";
import { desk, type Desk } from "../desk";

/** What both windows share. */
type Shared = Pick<Desk, "selected" | "form" | "place" | "zone">;
type Said =
  | { kind: "who" } // the console: is there a map?
  | { kind: "left" } // the console goes
  | { kind: "close" } // the console wants its map back
  | { kind: "here" } // the map's window is there
  | { kind: "bye" } // and goes
  | ({ kind: "desk" } & Shared);

const KEY = "vigia:mapa-aparte";
const LOOK_EVERY = 1_000;
const BLOCKED_AFTER = 3_000;
let channel: BroadcastChannel | null = null;
let child: Window | null = null;
let listening = false;

const shared = ({ selected, form, place, zone }: Desk): Shared => ({ selected, form, place, zone });

function tab(): string {
  let id = sessionStorage.getItem(KEY);
  if (id === null) sessionStorage.setItem(KEY, (id = Math.random().toString(36).slice(2)));
  return id;
}

/** Tell the other window what changes here, and take over what changes there. */
function mirror(line: BroadcastChannel): () => void {
  let taking = false;
  const leave = desk.subscribe((now, before) => {
    if (taking) return;
    const [next, last] = [shared(now), shared(before)];
    if ((Object.keys(next) as (keyof Shared)[]).some((name) => next[name] !== last[name])) line.postMessage({ kind: "desk", ...next } satisfies Said);
  });
  const onMessage = ({ data }: MessageEvent<Said>) => {
    if (data.kind !== "desk") return;
    const { selected, form, place, zone } = data;
    taking = true;
    desk.setState({ selected, form, place, zone });
    taking = false;
  };
  line.addEventListener("message", onMessage);
  return () => {
    leave();
    line.removeEventListener("message", onMessage);
  };
}

const comeBack = (): void => {
  child = null;
  if (desk.getState().apart) desk.setState({ apart: false });
};

/** The console's end of the channel; answers how to leave it. A map that outlived a reload is found again. */
export function keepApart(): () => void {
  const line = new BroadcastChannel(`vigia:mapa:${tab()}`);
  channel = line;
  listening = true;
  const unmirror = mirror(line);
  line.addEventListener("message", ({ data }: MessageEvent<Said>) => {
    if (data.kind === "here" && inPast()) line.postMessage({ kind: "close" } satisfies Said); // it would show the present beside the past
    else if (data.kind === "here") {
      desk.setState({ apart: true });
      line.postMessage({ kind: "desk", ...shared(desk.getState()) } satisfies Said);
    } else if (data.kind === "bye") comeBack();
  });
  line.postMessage({ kind: "who" } satisfies Said);
  // A window that died says nothing.
  const pulse = setInterval(() => child?.closed && comeBack(), LOOK_EVERY);
  const onHide = () => line.postMessage({ kind: "left" } satisfies Said);
  addEventListener("pagehide", onHide);
  return () => {
    removeEventListener("pagehide", onHide);
    clearInterval(pulse);
    unmirror();
    line.close();
    channel = null;
    listening = false;
  };
}

/** F9: the map goes to a window of its own, or comes back. */
export function toggleApart(): void {
  if (!listening) return;
  if (desk.getState().apart) {
    channel?.postMessage({ kind: "close" } satisfies Said);
    comeBack();
    return;
  }
  try {
    child = window.open(`/consola/mapa#${tab()}`, `vigia-mapa-${tab()}`, `popup,width=${Math.min(1600, screen.availWidth)},height=${Math.min(1000, screen.availHeight)}`);
  } catch {
    child = null; // if there is a window none the less it will say so
  }
  // The map leaves this window when the other says that it is there.
  if (child === null) setTimeout(() => !desk.getState().apart && say(t("layout.blocked")), BLOCKED_AFTER);
}

/** The map's end; `onConsole` hears whether the console is there. */
export function followConsole(onConsole: (there: boolean) => void): () => void {
  const line = new BroadcastChannel(`vigia:mapa:${location.hash.slice(1)}`);
  const unmirror = mirror(line);
  line.addEventListener("message", ({ data }: MessageEvent<Said>) => {
    if (data.kind === "who") line.postMessage({ kind: "here" } satisfies Said);
    else if (data.kind === "desk") onConsole(true);
    else if (data.kind === "left") onConsole(false);
    else if (data.kind === "close") window.close();
  });
  line.postMessage({ kind: "here" } satisfies Said);
  const onHide = () => line.postMessage({ kind: "bye" } satisfies Said);
  addEventListener("pagehide", onHide);
  return () => {
    removeEventListener("pagehide", onHide);
    unmirror();
    line.close();
  };
}
