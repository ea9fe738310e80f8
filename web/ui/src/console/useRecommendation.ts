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

export function useRecommendation(incident: Incident, still: boolean): Proposal {
  useBoard();
  const now = useSecond();
  const offline = useLink((state) => state.name === "offline");
  const beat = Math.floor(now / EVERY);
  const closed = board.closures().filter((closure) => inForce(closure, now)).map(({ id, version }) => `${id}.${version}`);
  const units = board.units().map(({ id, status }) => `${id}.${status}`);
  const changed = [...closed, ...units].sort().join();
  const [newest, setNewest] = useState<{ id: string; told: Recommendation | null } | null>(null);
  const [shown, setShown] = useState<{ id: string; told: Recommendation } | null>(null);
  const [slowFor, setSlowFor] = useState<string | null>(null);
  const slow = slowFor === incident.id;
  const last = useRef(-Infinity);
  const turn = useRef(0);
  const answered = useRef(0);

  useEffect(() => {
    if (offline) return;
    const question = () => {
      last.current = performance.now();
      const mine = (turn.current += 1);
      const keep = (told: Recommendation | null) => {
        if (mine <= answered.current) return;
        answered.current = mine;
        setNewest({ id: incident.id, told });
      };
      ask(incident.id).then(keep, () => keep(null));
    };
    const wait = last.current + APART - performance.now();
    if (wait <= 0) return question();
    const timer = setTimeout(question, wait);
    return () => clearTimeout(timer);
  }, [incident.id, incident.version, beat, changed, offline]);

  useEffect(() => {
    const timer = setTimeout(() => setSlowFor(incident.id), PATIENCE);
    return () => clearTimeout(timer);
  }, [incident.id]);

  useEffect(() => {
    const first = shown?.id !== incident.id && !slow;
    if (newest?.told && newest.id === incident.id && (!still || first)) setShown({ id: newest.id, told: newest.told });
    // What is shown changes only here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [newest, still, slow, incident.id]);

  if (offline) return { state: "offline", told: null };
  if (newest?.id === incident.id && newest.told === null) return { state: "failed", told: null };
  return shown?.id === incident.id ? { state: "told", told: shown.told } : { state: slow ? "slow" : "asking", told: null };
}
