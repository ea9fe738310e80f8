/** A wall says every ten seconds that it lives, and begins anew when it must; never into a server that does not answer. */
import { useEffect, useRef } from "react";
import { getRaw } from "../lib/api";
import { clock } from "../lib/clock";
import { hour } from "../lib/format";
import { board } from "../lib/live";
import { isOpen } from "../lib/queue";
import { reloadDue, sayAlive, type Wall, type WallView } from "../lib/walls";

const ALIVE_EVERY = 10_000;
const LOOK_EVERY = 5_000;
const PAGE = new URL(import.meta.url).pathname.split("/").pop()?.slice(0, 60) ?? "";

const heapMb = (): number | null => {
  const { memory } = performance as Performance & { memory?: { usedJSHeapSize: number } };
  return memory ? Math.round(memory.usedJSHeapSize / 1e5) / 10 : null;
};

/** A P1 or an SOS is open, answered or not. */
const emergency = (): boolean => board.sos().length > 0 || board.incidents().some((incident) => !incident.masked && isOpen(incident) && incident.priority === 1);

/** A reload that meets a dead server would leave a browser's error page on the wall for ever. */
async function beginAnew(): Promise<void> {
  const { status } = await getRaw("/session");
  if (status === 200) location.reload();
}

export function useWatch(wall: Wall | null, view: WallView, frozen: boolean): void {
  const drawn = useRef(performance.now());
  const shown = useRef({ view, frozen });
  shown.current = { view, frozen };
  const began = useRef<number | null>(null);
  const reloads = wall?.reloads ?? null;
  const linked = wall !== null;

  useEffect(() => {
    let frame = 0;
    const draw = (): void => {
      drawn.current = performance.now();
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, []);

  useEffect(() => {
    const look = setInterval(() => {
      const [hours, minutes] = hour(clock.now()).split(":").map(Number);
      const due = reloadDue({
        heapMb: heapMb(),
        frameAgeS: (performance.now() - drawn.current) / 1000,
        hidden: document.hidden,
        upMs: performance.now(),
        hourOfDay: (hours ?? 0) + (minutes ?? 0) / 60,
        urgent: emergency(),
      });
      if (due) void beginAnew();
    }, LOOK_EVERY);
    return () => clearInterval(look);
  }, []);

  useEffect(() => {
    if (!linked) return;
    const say = (): void => {
      const heard = {
        ...shown.current,
        width: screen.width,
        height: screen.height,
        page: PAGE,
        heap_mb: heapMb(),
        frame_age_s: Math.round((performance.now() - drawn.current) / 100) / 10,
        up_s: Math.round(performance.now() / 1000),
      };
      void sayAlive(heard).catch(() => null); // the server's silence is seen on the feed; this is for the room
    };
    say();
    const beat = setInterval(say, ALIVE_EVERY);
    return () => clearInterval(beat);
  }, [linked, view]);

  useEffect(() => {
    if (reloads === null) return;
    began.current ??= reloads;
    if (reloads > began.current) void beginAnew();
  }, [reloads]);
}
