import { useState } from "react";
import { hourSeconds } from "../lib/format";
import { t } from "../lib/i18n";
import { useMay } from "../lib/session";
import { recommendation } from "../lib/verbs";
import type { Incident, Recommendation } from "../lib/wire";
import { PastAnswer } from "./Recommendation";

const MOMENTS = ["T4", "T5", "T7", "T8", "T9", "T11"] as const;

/** What would it have sent? Asked of the incident's own moments, by who answers for how units are sent. */
export function WhatThen({ incident }: { incident: Incident }) {
  const mayAsk = useMay("policy.edit");
  const mayDispatch = useMay("unit.dispatch");
  const [told, setTold] = useState<{ name: string; answer: Recommendation | null } | null>(null);
  const known = MOMENTS.filter((name) => incident.stamps[name]);
  if (!mayAsk || !mayDispatch || known.length === 0) return null;
  const ask = (name: string, at: string) =>
    void recommendation(incident.id, at).then(
      (answer) => setTold({ name, answer }),
      () => setTold({ name, answer: null }),
    );
  return (
    <details className="past">
      <summary>{t("recommend.past")}</summary>
      <div className="past-moments">
        {known.map((name) => {
          const at = incident.stamps[name] ?? "";
          return (
            <button key={name} type="button" className="link-button" aria-pressed={told?.name === name} onClick={() => ask(name, at)}>
              {t(`stamp.${name}`)} {hourSeconds(at)}
            </button>
          );
        })}
      </div>
      {told && (told.answer ? <PastAnswer told={told.answer} /> : <p className="form-failure">{t("recommend.pastFailed")}</p>)}
    </details>
  );
}
