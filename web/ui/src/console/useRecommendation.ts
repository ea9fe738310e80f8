/**
 * Whom the server proposes to send: asked when an incident is chosen, when anything that counts has changed, and every ten seconds. While
 * somebody points at the list what he reads stands still; the newer answer waits. Nobody is listed before the first answer, so that it moves
 * nothing under a hand; when it is slow, who is free is listed without it and it waits like any newer one.
 */
import { useEffect, useRef, useState } from "react";
import { inForce } from "../lib/closures";
import { board, useBoard, useLink, useSecond } from "../lib/live";
import { recommendation as ask } from "../lib/verbs";
import type { Incident, Recommendation } from "../lib/wire";

const EVERY = 10_000;
const APART = 500; // lines that come in one breath are one question
const PATIENCE = 1500; // the first answer takes a third of this where nothing else is going on

export interface Proposal {
  state: "asking" | "slow" | "told" | "failed" | "offline";
  told: Recommendation | null;
}

/** For one incident: its user is keyed by it. */
export function useRecommendation(incident: Incident, still: boolean): Proposal {
  useBoard();
  const now = useSecond();
  const offline = useLink((state) => state.name === "offline");
  const beat = Math.floor(now / EVERY);
  const closed = board.closures().filter((closure) => inForce(closure, now)).map(({ id, version }) => `${id}.${version}`);
  const units = board.units().map(({ id, status }) => `${id}.${status}`);
  const changed = [...closed, ...units].sort().join();
  const [newest, setNewest] = useState<Recommendation | "failed" | null>(null);
  const [shown, setShown] = useState<Recommendation | null>(null);
  const [slow, setSlow] = useState(false);
  const last = useRef(-Infinity);
  const turn = useRef(0);
  const answered = useRef(0);

  useEffect(() => {
    if (offline) return;
    const question = () => {
      last.current = performance.now();
      const mine = (turn.current += 1);
      const keep = (told: Recommendation | "failed") => {
        if (mine <= answered.current) return;
        answered.current = mine;
        setNewest(told);
      };
      ask(incident.id).then(keep, () => keep("failed"));
    };
    const wait = last.current + APART - performance.now();
    if (wait <= 0) return question();
    const timer = setTimeout(question, wait);
    return () => clearTimeout(timer);
  }, [incident.id, incident.version, beat, changed, offline]);

  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), PATIENCE);
    return () => clearTimeout(timer);
  }, []);

  useEffect(() => {
    const nothingListed = shown === null && !slow;
    if (newest && newest !== "failed" && (!still || nothingListed)) setShown(newest);
    // What is shown changes only here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [newest, still, slow]);

  if (offline) return { state: "offline", told: null };
  if (newest === "failed") return { state: "failed", told: null };
  return shown ? { state: "told", told: shown } : { state: slow ? "slow" : "asking", told: null };
}
