import "./storm-policy.css";
import { Button, NumberInput, Switch } from "@mantine/core";
import { IconStorm } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type ReactNode } from "react";
import { useAct } from "../console/useAct";
import { useLoad, useStorm } from "../console/useStorm";
import { explain } from "../lib/explain";
import { hour, stamp } from "../lib/format";
import { LOCALE, t } from "../lib/i18n";
import { board, useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { amendStormPolicy } from "../lib/verbs";
import type { StormNow, StormPolicy as Policy } from "../lib/wire";

type Numbers = Exclude<keyof Policy, "automatic" | "priorities">;
/** What the server takes; shares are shown in percent. */
const BOUNDS: Record<Numbers, { min: number; max: number; step?: number; share?: true; whole?: true }> = {
  window_minutes: { min: 1, max: 120 },
  reports_line: { min: 1, max: 10_000, whole: true },
  waiting_line: { min: 0.1, max: 1000, step: 0.5 },
  waiting_least: { min: 1, max: 10_000, whole: true },
  calm_share: { min: 0, max: 100, share: true },
  calm_minutes: { min: 1, max: 720 },
  cluster_metres: { min: 20, max: 2000, step: 50 },
  cluster_minutes: { min: 1, max: 360 },
  stops_most: { min: 1, max: 30, whole: true },
  circuit_minutes: { min: 15, max: 720, step: 15 },
  service_minutes: { min: 1, max: 240 },
  reserve_share: { min: 0, max: 100, share: true },
  zone_share: { min: 0, max: 100, share: true },
  longest_wait_minutes: { min: 10, max: 2880, step: 10 },
};
const PARTS = ["line", "calm", "cluster", "circuit", "reserve", "fair"] as const;

/** When the city is in a storm, and what that changes: sentences whose numbers can be changed. */
export function StormPolicy() {
  const { data, error, isPending, fetchStatus, refetch } = useLoad();
  const mayRead = useMay("incident.update");
  if (!mayRead) return <p className="card-empty">{t("storm.policy.notYours")}</p>;
  if (error && !data)
    return (
      <p className="form-failure storm-failed" role="alert">
        {explain(error)}{" "}
        <button type="button" className="link-button" onClick={() => void refetch()}>
          {t("action.retry")}
        </button>
      </p>
    );
  if (!data) return <p className="card-empty">{t(isPending && fetchStatus === "fetching" ? "page.loading" : "storm.policy.notYours")}</p>;
  return (
    <div className="storm-policy">
      <Rules key={data.policy.number} policy={data.policy} />
      <Now now={data} />
    </div>
  );
}

function Rules({ policy }: { policy: StormNow["policy"] }) {
  const may = useMay("policy.edit");
  const now = useSecond();
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Partial<Policy>>({});
  const { busy, failure, act } = useAct();
  const page = board.registers().find(({ name }) => name === "storm_policy");
  const changes = Object.fromEntries(Object.entries(draft).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(policy[name as keyof Policy]))) as Partial<Policy>;
  const count = Object.keys(changes).length;
  const held: Policy = { ...policy, ...draft };
  const set = (change: Partial<Policy>) => setDraft((before) => ({ ...before, ...change }));
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (count === 0 || busy) return;
    const fresh = await act(() => amendStormPolicy(changes));
    if (!fresh) return;
    say(t("storm.policy.saved", { n: fresh.number }));
    await queries.invalidateQueries({ queryKey: ["storm"] });
  }
  return (
    <form className="storm-rules" aria-label={t("storm.policy.title")} onSubmit={(event) => void submit(event)}>
      <header>
        <h2>{t("storm.policy.title")}</h2>
        <p>{policy.number === 0 ? t("storm.policy.factory") : page ? t("storm.policy.edition", { n: policy.number, who: page.changed_by, at: stamp(page.changed_at, now) }) : t("storm.policy.editionOnly", { n: policy.number })}</p>
      </header>
      {PARTS.map((part) => (
        <section key={part}>
          <h3>{t(`storm.policy.parts.${part}`)}</h3>
          <p className="storm-sentence">
            <Sentence words={t(`storm.policy.say.${part}`)} policy={held} may={may} onChange={set} />
          </p>
          {part === "line" &&
            (may ? (
              <Switch checked={held.automatic} label={t("storm.policy.automatic")} onChange={(event) => set({ automatic: event.currentTarget.checked })} />
            ) : (
              <p className="hint">{t(held.automatic ? "storm.policy.automatic" : "storm.policy.byHand")}</p>
            ))}
          {part === "circuit" &&
            (may ? (
              <Switch
                checked={held.priorities.includes(3)}
                label={t("storm.policy.withP3")}
                onChange={(event) => set({ priorities: event.currentTarget.checked ? [3, 4] : [4] })}
              />
            ) : (
              <p className="hint">{t("storm.policy.gathered", { which: held.priorities.map((level) => t("storm.policy.p", { level })).join(", ") })}</p>
            ))}
        </section>
      ))}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      {may && (
        <footer>
          <Button size="sm" type="submit" loading={busy} disabled={count === 0}>
            {t("storm.policy.save", { n: policy.number + 1 })}
          </Button>
          {count > 0 && (
            <Button size="sm" variant="subtle" onClick={() => setDraft({})}>
              {t("storm.policy.discard", { count })}
            </Button>
          )}
          <small>{t("storm.policy.atOnce")}</small>
        </footer>
      )}
    </form>
  );
}

/** `… [reports_line] avisos …`: the numbers stand where they are read. */
function Sentence({ words, policy, may, onChange }: { words: string; policy: Policy; may: boolean; onChange: (change: Partial<Policy>) => void }): ReactNode {
  return words.split(/\[(\w+)\]/).map((piece, place) => {
    if (place % 2 === 0) return piece;
    const name = piece as Numbers;
    const { min, max, step, share, whole } = BOUNDS[name];
    const value = share ? Math.round(policy[name] * 100) : policy[name];
    if (!may) return <b key={name}>{share ? t("storm.policy.percent", { n: value }) : value.toLocaleString(LOCALE)}</b>;
    return (
      <NumberInput
        key={name}
        size="xs"
        className="storm-number"
        aria-label={t(`storm.policy.fields.${name}`)}
        value={value}
        min={min}
        max={max}
        step={step ?? 1}
        allowDecimal={!whole && !share}
        decimalSeparator=","
        clampBehavior="strict"
        suffix={share ? " %" : undefined}
        required
        onChange={(next) => typeof next === "number" && onChange({ [name]: share ? next / 100 : next })}
      />
    );
  });
}

/** What the load is beside the line, at this moment, and how each neighbourhood fares. */
function Now({ now }: { now: StormNow }) {
  const storm = useStorm();
  const { load, policy, zones } = now;
  const line = Math.max(policy.waiting_least, policy.waiting_line * Math.max(load.free, 1));
  const minutes = (n: number) => t("storm.circuits.minutes", { n: Math.round(n) });
  return (
    <aside className="storm-now" aria-label={t("storm.now.title")}>
      <header>
        <h2>{t("storm.now.title")}</h2>
        <p className={storm ? "storm-now-on" : undefined}>
          {storm && <IconStorm size={16} aria-hidden />} {storm ? t("storm.since", { hour: hour(storm.began_at) }) : t(load.over ? "storm.now.over" : load.calm ? "storm.now.calm" : "storm.now.between")}
        </p>
      </header>
      <dl>
        <Gauge name={t("storm.now.reports", { minutes: policy.window_minutes })} value={load.reports} line={policy.reports_line} />
        <Gauge name={t("storm.now.waiting")} value={load.waiting} line={Math.ceil(line)} />
        <div>
          <dt>{t("storm.now.free")}</dt>
          <dd>{load.free}</dd>
        </div>
      </dl>
      {zones.length === 0 ? (
        <p className="card-empty">{t("storm.now.nobody")}</p>
      ) : (
        <table>
          <caption>{t("storm.now.zones")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("storm.fair.zone")}</th>
              <th scope="col">{t("storm.fair.waiting")}</th>
              <th scope="col">{t("storm.fair.longest")}</th>
              <th scope="col">{t("storm.now.done")}</th>
            </tr>
          </thead>
          <tbody>
            {zones.map((zone) => (
              <tr key={zone.zone}>
                <th scope="row">{zone.zone ?? t("storm.fair.noZone")}</th>
                <td>{zone.waiting}</td>
                <td className={zone.longest_wait_minutes >= policy.longest_wait_minutes ? "fair-late" : undefined}>{zone.waiting > 0 ? minutes(zone.longest_wait_minutes) : ""}</td>
                <td>{zone.done}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </aside>
  );
}

/** A number, the line it is held against, and how near it is. */
function Gauge({ name, value, line }: { name: string; value: number; line: number }) {
  return (
    <div className={value >= line ? "storm-over" : undefined}>
      <dt>{name}</dt>
      <dd>
        {value} <small>{t("storm.now.line", { n: line })}</small>
      </dd>
      <span className="storm-gauge" aria-hidden>
        <span style={{ inlineSize: `${Math.min(100, (value / line) * 100)}%` }} />
      </span>
    </div>
  );
}
