/**
 * Times by road to a place: asked when it is chosen, every ten seconds, and at once when a closure comes, changes, ends or is lifted. Without
 * an answer there are straight lines, and the list says so.
 */
import { useEffect, useRef, useState } from "react";
import { inForce } from "../lib/closures";
import type { Etas } from "../lib/etas";
import { board, useBoard, useLink, useSecond } from "../lib/live";
import { etas as ask, type LonLat } from "../lib/verbs";
import type { Eta } from "../lib/wire";

const EVERY = 10_000;
const APART = 250; // closures that come in one breath are two questions at most: the first at once

export interface Roads {
  state: "asking" | "road" | "failed" | "offline";
  etas: Etas;
  /** How many closures were in force in the answer. */
  closures: number;
}

const NONE: Etas = new Map<string, Eta>();

export function useEtas(at: LonLat | null): Roads {
  useBoard();
  const now = useSecond();
  const offline = useLink((state) => state.name === "offline");
  const beat = Math.floor(now / EVERY);
  const closed = board
    .closures()
    .filter((closure) => inForce(closure, now))
    .map(({ id, version }) => `${id}.${version}`)
    .sort()
    .join();
  const place = at?.map((degrees) => degrees.toFixed(6)).join() ?? "";
  const [held, setHeld] = useState<{ place: string; answer: Roads } | null>(null);
  const asked = useRef(0);
  const last = useRef(-Infinity);
  const answered = useRef(0);

  useEffect(() => {
    if (!at || offline) return;
    const question = () => {
      last.current = performance.now();
      asked.current += 1;
      const turn = asked.current;
      const keep = (answer: Roads) => {
        if (turn <= answered.current) return; // a later question has its answer already
        answered.current = turn;
        setHeld({ place, answer });
      };
      ask(at).then(
        ({ etas, closures }) => keep({ state: "road", etas: new Map(etas.map((each) => [each.unit_id, each])), closures }),
        () => keep({ state: "failed", etas: NONE, closures: 0 }),
      );
    };
    const wait = last.current + APART - performance.now();
    if (wait <= 0) return question();
    const timer = setTimeout(question, wait);
    return () => clearTimeout(timer);
    // `place` stands for `at`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [place, beat, closed, offline]);

  if (offline) return { state: "offline", etas: NONE, closures: 0 };
  return held?.place === place ? held.answer : { state: at ? "asking" : "failed", etas: NONE, closures: 0 };
}
