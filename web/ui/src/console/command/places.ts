/** What the words of a place may mean, asked while somebody types: as they stand first, then without what is rather of the note. */
import { useEffect, useMemo, useState } from "react";
import { readings, type Reading } from "../../lib/command";
import type { Option } from "../../lib/suggestions";
import { search } from "../../lib/verbs";
import { stage } from "../desk";

const PAUSE = 150; // ms without a key before asking
const KEPT = 60;

export interface LookUp {
  said: string;
  state: "none" | "asking" | "told" | "failed";
  reading: Reading | null;
  options: Option[];
  /** The first may be taken without asking: it is clear, and it says where and not only on which street. */
  sure: boolean;
}

const PINNED: ReadonlySet<string> = new Set(["exact", "interpolated", "block"]);
const none = (said: string, state: LookUp["state"]): LookUp => ({ said, state, reading: null, options: [], sure: false });

async function ask(said: string): Promise<LookUp> {
  const centre = stage.map?.centre() ?? ([undefined, undefined] as const);
  const told = (reading: Reading, { matches, sure }: { matches: Option[]; sure: boolean }): LookUp => ({
    said, state: "told", reading, options: matches.slice(0, 9), sure: sure && (PINNED.has(matches[0]?.precision ?? "") || matches[0]?.kind === "between"),
  });
  try {
    const [whole, ...others] = readings(said);
    if (!whole) return none(said, "none");
    let first = await search(whole.place, [...centre]);
    if (first.more && !first.sure) first = await search(whole.place, [...centre], true).catch(() => first);
    if (first.sure) return told(whole, first);
    const labels = new Set(first.matches.map(({ label }) => label));
    let fallback: LookUp | null = null;
    for (const reading of others) {
      const found = await search(reading.place, [...centre]);
      const [best] = found.matches;
      // Fewer words may be surer and yet of somewhere else: only what the whole said too, or where it said nothing.
      if (found.sure && best && (labels.size === 0 || labels.has(best.label))) return told(reading, found);
      if (best) fallback ??= told(reading, found);
    }
    return first.matches.length > 0 ? told(whole, first) : (fallback ?? told(whole, first));
  } catch {
    return none(said, "failed");
  }
}

const asked = new Map<string, Promise<LookUp>>();
const answered = new Map<string, LookUp>();

/** The answer for these words; asked once while they stay the same. */
export function lookUp(said: string): Promise<LookUp> {
  if (said.trim().length < 2) return Promise.resolve(none(said, "none"));
  let answer = asked.get(said);
  if (!answer) {
    answer = ask(said).then((told) => {
      if (told.state === "failed") asked.delete(said);
      else answered.set(said, told);
      return told;
    });
    asked.set(said, answer);
    const oldest = asked.keys().next().value;
    if (asked.size > KEPT && oldest !== undefined) {
      asked.delete(oldest);
      answered.delete(oldest);
    }
  }
  return answer;
}

/** What is known of these words: the choices are there as soon as anybody has the answer, so that no key falls between. */
export function useLookUp(said: string): LookUp {
  const [told, setTold] = useState<LookUp>(() => none("", "none"));
  const open = useMemo(() => none(said, said.trim().length < 2 ? "none" : "asking"), [said]);
  useEffect(() => {
    if (said.trim().length < 2) return;
    let late = false;
    const timer = setTimeout(() => void lookUp(said).then((found) => !late && setTold(found)), PAUSE);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [said]);
  return answered.get(said) ?? (told.said === said ? told : open);
}
