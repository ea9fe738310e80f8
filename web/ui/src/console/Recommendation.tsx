import "./recommendation.css";
import { Button, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import { useDraftLine } from "../lib/drafts";
import { minutes } from "../lib/etas";
import { hourSeconds } from "../lib/format";
import { t, word } from "../lib/i18n";
import { leavesWords, notGoing, reasonWords, sumWords, tradeWords } from "../lib/recommendation";
import { needWords } from "../lib/runCards";
import { useMay } from "../lib/session";
import { lost } from "../lib/verbs";
import type { NeedAnswer, Option, Recommendation as Told } from "../lib/wire";
import { stage } from "./desk";

const REST = 200; // a pointer that only passes asks nothing

/** What a need still lacks, who has it already, and its name: the line above its units. */
export function NeedHead({ need }: { need: NeedAnswer }) {
  return (
    <p className={`need need-${need.kind}`}>
      <strong>{needWords(need)}</strong>
      {need.kind !== "required" && <span className="need-kind">{t(`recommend.kind.${need.kind}`)}</span>}
      {need.going.length > 0 && <span className="need-going">{t("recommend.going", { units: need.going.map(({ call_sign }) => call_sign).join(", "), count: need.going.length })}</span>}
      {need.shortfall && (
        <span className={need.kind === "required" ? "need-short" : "need-short need-short-mild"}>
          {t("recommend.short", { count: need.shortfall.count })} {t(`recommend.shortWhy.${need.shortfall.why}`)}
        </span>
      )}
    </p>
  );
}

/** Why this unit, and what it leaves; the sum on demand. */
export function PickWhy({ pick }: { pick: Option }) {
  return (
    <details className="pick-why">
      <summary>
        {reasonWords(pick.why)}
        {pick.taken_from && <em>{t("recommend.takenFrom", { code: pick.taken_from })}</em>}
        {pick.leaves && <em>{leavesWords(pick.leaves)}</em>}
        {pick.warnings.map(({ code }) => (
          <em key={code}>{word("recommend.gap", code)}</em>
        ))}
      </summary>
      <p>{sumWords(pick)}</p>
    </details>
  );
}

/** Whom to ask: the card's agencies, and units of others that could do what we lack. */
export function ToAsk({ told }: { told: Told }) {
  const near = new Map(told.needs.filter(({ shortfall }) => shortfall).flatMap(({ to_ask }) => to_ask.slice(0, 2).map((each): [string, Option] => [each.unit_id, each])));
  if (told.agencies.length === 0 && near.size === 0) return null;
  return (
    <p className="run-card">
      <span>{t("recommend.ask")}</span>
      {told.agencies.map(({ agency, count, note }, n) => (
        <span key={n} className="agency agency-asked" title={note || undefined}>
          {word("agency", agency)}
          {count > 1 && ` ×${count}`}
        </span>
      ))}
      {[...near.values()].map(({ unit_id, call_sign, organization, seconds }) => (
        <span key={unit_id} className="agency agency-asked" title={organization}>
          {call_sign} {minutes(seconds)}
        </span>
      ))}
    </p>
  );
}

export const Trades = ({ told }: { told: Told }) =>
  told.trades.map((trade, n) => (
    <p key={n} className="trade">
      {tradeWords(trade)}
    </p>
  ));

/** Everybody who does not go, and why not; who lacks something may be sent by somebody who may, with a reason. */
export function WhyNot({ told, onOverride }: { told: Told; onOverride?: (unit: string, need: string, reason: string) => Promise<boolean> }) {
  const mayOverride = useMay("gate.override");
  const found = notGoing(told);
  if (found.length === 0) return null;
  const gated = found.filter(({ gaps }) => gaps);
  return (
    <details className="why-not">
      <summary>
        {t("recommend.whyNot")}
        {gated.length > 0 && <span>{t("recommend.gatedCount", { count: gated.length })}</span>}
      </summary>
      <dl>
        {found.map(({ unit_id, call_sign, why, seconds, gaps, need }) => (
          <div key={unit_id}>
            <dt>{call_sign}</dt>
            <dd>
              {seconds !== null && <small>{minutes(seconds)}</small>} {reasonWords(why)}
              {gaps && mayOverride && onOverride && <Override unit={call_sign} send={(reason) => onOverride(unit_id, need, reason)} />}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Override({ unit, send }: { unit: string; send: (reason: string) => Promise<boolean> }) {
  const [reason, setReason, discard] = useDraftLine(`override:${unit}`);
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    if (await send(reason.trim())) discard();
    setBusy(false);
  };
  return (
    <form
      className="override"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim()) void go();
      }}
    >
      <TextInput size="xs" aria-label={t("recommend.overrideWhy", { unit })} placeholder={t("recommend.overrideWhy", { unit })} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button type="submit" size="xs" variant="default" disabled={!reason.trim()} loading={busy}>
        {t("recommend.override")}
      </Button>
    </form>
  );
}

/** The ground that the unit under the pointer leaves, on the map. Only a picture: when it cannot be had, there is none. */
export function useLost(): (unit: string | null) => void {
  const [unit, setUnit] = useState<string | null>(null);
  useEffect(() => {
    if (!unit) return;
    let here = true;
    const timer = setTimeout(() => {
      lost(unit).then(
        ({ features }) => here && stage.map?.showLost(features[0]?.geometry ?? null),
        () => null,
      );
    }, REST);
    return () => {
      here = false;
      clearTimeout(timer);
      stage.map?.showLost(null);
    };
  }, [unit]);
  return setUnit;
}

/** The same for a past moment: what it would have sent, to read and nothing else. */
export function PastAnswer({ told }: { told: Told }) {
  return (
    <div className="past-answer">
      <p className="past-mark">{t("recommend.pastAt", { hour: hourSeconds(told.at) })}</p>
      {told.unknown.length > 0 && <p className="hint">{t("recommend.unknown", { what: told.unknown.map((each) => word("recommend.unknownWhat", each)).join(", ") })}</p>}
      {told.needs.length === 0 && <p className="hint">{t("recommend.noCard")}</p>}
      {told.needs.map((need, n) => (
        <div key={n}>
          <NeedHead need={need} />
          {need.picks.map((pick) => (
            <div key={pick.unit_id} className="past-pick">
              <strong>{pick.call_sign}</strong> {minutes(pick.seconds)}
              <PickWhy pick={pick} />
            </div>
          ))}
        </div>
      ))}
      <ToAsk told={told} />
      <WhyNot told={told} />
    </div>
  );
}
