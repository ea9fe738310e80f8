import { useState } from "react";
import { Refusal } from "../lib/api";
import { useAct } from "./useAct";

/** What somebody else made of the fields meanwhile: by their names on the wire. */
export interface Contest<Fields> {
  by: string;
  at: string;
  fields: Partial<Fields>;
}

/** An act whose fields two people may change at once: refused, it says what the other one made of them. */
export function useContested<Fields>() {
  const { act, ...rest } = useAct();
  const [contest, setContest] = useState<Contest<Fields> | null>(null);
  const attempt = <T,>(work: () => Promise<T>): Promise<T | null> =>
    act(async () => {
      try {
        const done = await work();
        setContest(null);
        return done;
      } catch (error) {
        if (!(error instanceof Refusal && error.problem.code === "ChangedMeanwhile")) throw error;
        setContest(error.problem.facts as unknown as Contest<Fields>);
        return null;
      }
    });
  return { ...rest, attempt, contest, settle: () => setContest(null) };
}
