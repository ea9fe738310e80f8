import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { newId } from "../lib/api";
import { explain } from "../lib/explain";
import { stamp } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { cardTrial, tryCard } from "../lib/verbs";
import type { CardLevel, CardOutcome, CardTrial, IncidentType, Level, Percentiles, TrialTotals } from "../lib/wire";

const PERIODS = [7, 30, 60];
const ASK_EVERY = 1_000;
const SHOWN = 30;

interface Props {
  type: IncidentType;
  priority: Level | null;
  levels: CardLevel[];
  /** The trial of this draft, if there was one. */
  kept: string | null;
  onTrial: (id: string) => void;
}

/** What the draft would have changed last month; it is kept with the edition that comes of it. */
export function Trial({ type, priority, levels, kept, onTrial }: Props) {
  const [mayDispatch, mayEdit] = [useMay("unit.dispatch"), useMay("run_card.edit")];
  const may = mayDispatch && mayEdit;
  const [days, setDays] = useState(30);
  const [asked, setAsked] = useState<{ id: string; of: string } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const said = JSON.stringify(levels);
  const id = asked?.of === said ? asked.id : kept;
  const { data } = useQuery({
    queryKey: ["card-trial", id],
    queryFn: () => cardTrial(id ?? ""),
    enabled: may && id !== null,
    refetchInterval: ({ state }) => (state.data?.state === "running" ? ASK_EVERY : false),
  });
  if (!may) return null;

  async function ask() {
    setBusy(true);
    setFailure(null);
    const fresh = newId();
    try {
      await tryCard(fresh, type.code, priority, levels, days);
      setAsked({ id: fresh, of: said });
      onTrial(fresh);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  }
  const trial = id === null ? undefined : data;
  return (
    <section className="card-trial">
      <h3>{t("runCards.trial")}</h3>
      <p className="trial-ask">
        <select aria-label={t("runCards.period")} value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
          {PERIODS.map((n) => (
            <option key={n} value={n}>
              {t("runCards.lastDays", { n })}
            </option>
          ))}
        </select>
        <Button size="sm" variant="default" loading={busy || trial?.state === "running"} onClick={() => void ask()}>
          {t("runCards.tryIt")}
        </Button>
      </p>
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      {trial?.state === "running" && (
        <p role="status">
          <progress max={trial.incidents} value={trial.done} aria-label={t("runCards.trial")} /> {t("runCards.tryingOn", { done: trial.done, count: trial.incidents })}
        </p>
      )}
      {trial?.state === "failed" && <p className="form-failure">{t("runCards.trialFailed")}</p>}
      {trial?.state === "done" && trial.summary && <Result trial={trial} />}
    </section>
  );
}

function Result({ trial }: { trial: CardTrial }) {
  const now = useSecond();
  const [open, setOpen] = useState(false);
  const { summary } = trial;
  if (!summary) return null;
  const changed = (trial.rows ?? []).filter(({ before, after }) => before && after && before.units.join() !== after.units.join());
  return (
    <div role="status">
      <p>
        {t("runCards.triedOn", { count: summary.incidents, days: trial.days })}
        {trial.total > trial.incidents && ` ${t("runCards.sampled", { total: trial.total })}`} <strong>{t("runCards.changedIn", { count: summary.changed })}</strong>
      </p>
      <table className="trial-table">
        <thead>
          <tr>
            <th />
            <th scope="col">{t("runCards.before")}</th>
            <th scope="col">{t("runCards.after")}</th>
          </tr>
        </thead>
        <tbody>
          {LINES.map(([name, say]) => (
            <tr key={name}>
              <th scope="row">{t(`runCards.lines.${name}`)}</th>
              <td>{say(summary.before)}</td>
              <td className={say(summary.before) === say(summary.after) ? undefined : "differs"}>{say(summary.after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {summary.most_added.length > 0 && <p>{t("runCards.wouldGo", { units: times(summary.most_added) })}</p>}
      {summary.most_removed.length > 0 && <p>{t("runCards.wouldStay", { units: times(summary.most_removed) })}</p>}
      {changed.length > 0 && (
        <button type="button" className="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t("runCards.oneByOne")}
        </button>
      )}
      {open && (
        <ol className="trial-rows">
          {changed.slice(0, SHOWN).map((row) => (
            <li key={row.incident_id}>
              <small>
                {row.code} · {row.at && stamp(row.at, now)}
              </small>
              <Side of={row.before} /> → <Side of={row.after} />
            </li>
          ))}
        </ol>
      )}
      {open && changed.length > SHOWN && <p className="hint">{t("runCards.moreRows", { count: changed.length - SHOWN })}</p>}
    </div>
  );
}

const Side = ({ of }: { of: CardOutcome | null }) => <span>{of?.units.join(", ") || t("runCards.nobody")}</span>;

const LINES: [string, (totals: TrialTotals) => string][] = [
  ["units", ({ units }) => String(units)],
  ["first", ({ first }) => minutes(first)],
  ["last", ({ last }) => minutes(last)],
  ["short", ({ short, short_incidents }) => t("runCards.shortIn", { n: short, count: short_incidents })],
  ["lost", ({ people, street_km }) => (people === null ? t("runCards.lostKm", { n: street_km }) : t("runCards.lostPeople", { n: people }))],
];

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.round(seconds) % 60).padStart(2, "0")}`;
const minutes = (of: Percentiles | null): string => (of ? `${clock(of.p50)} / ${clock(of.p90)}` : "—");
const times = (units: [string, number][]): string => units.map(([unit, n]) => `${unit} (${n})`).join(", ");
