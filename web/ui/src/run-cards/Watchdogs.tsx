import "./watchdogs.css";
import { Button, NumberInput, SegmentedControl, Switch } from "@mantine/core";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { ruleScope, ruleWords, span } from "../lib/alarms";
import { explain } from "../lib/explain";
import { age, stamp } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useRegister } from "../lib/registers";
import { useMay } from "../lib/session";
import { say, sayFailed } from "../lib/toasts";
import { alarmReport, amendWatchdog, watchdogs } from "../lib/verbs";
import type { AlarmKind, AlarmReport, WatchdogRule, WatchdogRules } from "../lib/wire";

const KINDS: AlarmKind[] = ["sos_unanswered", "unattended", "unacknowledged", "stuck", "not_moving", "past_promised", "check_in_due", "position_lost", "battery_low"];

/** What is watched, in sentences whose numbers can be changed, and beside it how each rule fared. */
export function Watchdogs() {
  const edition = useRegister("watchdogs");
  const mayEdit = useMay("policy.edit");
  const [weeks, setWeeks] = useState("1");
  const { data, error, refetch } = useQuery({ queryKey: ["watchdogs", edition], queryFn: watchdogs, placeholderData: keepPreviousData });
  const report = useQuery({ queryKey: ["alarm-report", weeks], queryFn: () => alarmReport(Number(weeks)), enabled: mayEdit, placeholderData: keepPreviousData });
  const now = useSecond();
  if (error && !data)
    return (
      <p className="form-failure watch-failed" role="alert">
        {explain(error)}{" "}
        <button type="button" className="link-button" onClick={() => void refetch()}>
          {t("action.retry")}
        </button>
      </p>
    );
  if (!data) return <p className="card-empty">{t("page.loading")}</p>;
  return (
    <div className="watch">
      <section className="watch-rules" aria-label={t("watchdogs.title")}>
        <header>
          <h2>{t("watchdogs.title")}</h2>
          <p>{data.made_at ? t("watchdogs.version", { n: data.version, who: data.made_by, at: stamp(data.made_at, now) }) : t("watchdogs.factory")}</p>
        </header>
        {KINDS.map((kind) => {
          const rules = data.rules.filter((rule) => rule.kind === kind);
          return (
            rules.length > 0 && (
              <div key={kind} className="watch-kind">
                <h3>{t(`alarms.kinds.${kind}`)}</h3>
                <ul>
                  {rules.map((rule) => (
                    <RuleLine key={rule.key} rule={rule} rules={data} may={mayEdit} fared={report.data?.rules.find((each) => each.rule === rule.key)} />
                  ))}
                </ul>
              </div>
            )
          );
        })}
      </section>
      {mayEdit && (
        <aside className="watch-report" aria-label={t("watchdogs.report.title")}>
          <header>
            <h2>{t("watchdogs.report.title")}</h2>
            <SegmentedControl size="xs" aria-label={t("watchdogs.report.period")} value={weeks} onChange={setWeeks} data={["1", "4", "13"].map((value) => ({ value, label: t("watchdogs.report.weeks", { count: Number(value) }) }))} />
          </header>
          {report.data && <Report report={report.data} rules={data} />}
          {report.error && !report.data && <p className="form-failure" role="alert">{explain(report.error)}</p>}
        </aside>
      )}
    </div>
  );
}

function RuleLine({ rule, rules, may, fared }: { rule: WatchdogRule; rules: WatchdogRules; may: boolean; fared: AlarmReport["rules"][number] | undefined }) {
  const line = useRef<HTMLLIElement>(null);
  // Whoever comes from the report comes for this rule.
  const asked = location.hash === `#regla-${rule.key}`;
  const [open, setOpen] = useState(asked && may);
  useEffect(() => {
    if (asked) line.current?.scrollIntoView({ block: "center" });
  }, [asked]);
  const queries = useQueryClient();
  const save = (change: Partial<WatchdogRule>) =>
    amendWatchdog(rules, rule.key, change).then((fresh) => {
      queries.setQueriesData({ queryKey: ["watchdogs"] }, fresh);
      say(t("watchdogs.saved", { n: fresh.version }));
      setOpen(false);
    }, sayFailed);
  return (
    <li ref={line} id={`regla-${rule.key}`} className={rule.enabled ? "watch-rule" : "watch-rule watch-rule-off"}>
      <div className="watch-sentence">
        <span className={`watch-scope watch-scope-${rule.priority ?? "all"}`}>{ruleScope(rule, rules.rules)}</span>
        <p>
          {ruleWords(rule)} <small>{chain(rule)}</small>
        </p>
        {fared && <span className={fared.unanswered_percent > 50 ? "watch-fared watch-fared-noisy" : "watch-fared"}>{t("watchdogs.fared", { count: fared.raised, percent: fared.unanswered_percent })}</span>}
        {may && (
          <>
            <Switch checked={rule.enabled} aria-label={t("watchdogs.on", { what: ruleWords(rule) })} onChange={(event) => void save({ enabled: event.currentTarget.checked })} />
            <Button size="compact-sm" variant="default" aria-expanded={open} onClick={() => setOpen(!open)}>
              {t("watchdogs.change")}
            </Button>
          </>
        )}
      </div>
      {open && <RuleForm key={rules.version} rule={rule} onSave={save} onCancel={() => setOpen(false)} />}
    </li>
  );
}

/** Who is called after whom. */
const chain = (rule: WatchdogRule): ReactNode =>
  t("watchdogs.chain", { steps: rule.steps.map((step) => t(`watchdogs.steps.${step}`)).join(" → "), time: span(rule.escalate_after) }) +
  (rule.repeat_after ? ` ${t("watchdogs.repeats", { time: span(rule.repeat_after) })}` : "");

function RuleForm({ rule, onSave, onCancel }: { rule: WatchdogRule; onSave: (change: Partial<WatchdogRule>) => Promise<unknown>; onCancel: () => void }) {
  const [seconds, setSeconds] = useState<number | string>(rule.seconds);
  const [escalate, setEscalate] = useState<number | string>(rule.escalate_after);
  const [repeat, setRepeat] = useState<number | string>(rule.repeat_after ?? "");
  const part = rule.kind === "battery_low";
  const [threshold, setThreshold] = useState<number | string>(rule.threshold === null ? "" : part ? Math.round(rule.threshold * 100) : rule.threshold);
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const change: Partial<WatchdogRule> = { seconds: Number(seconds), escalate_after: Number(escalate), repeat_after: repeat === "" ? null : Number(repeat) };
    if (rule.threshold !== null) change.threshold = part ? Number(threshold) / 100 : Number(threshold);
    void onSave(change).finally(() => setBusy(false));
  };
  const field = (label: string, value: number | string, set: (value: number | string) => void, bounds: { min: number; max: number }, required = true) => (
    <NumberInput size="xs" label={t(`watchdogs.fields.${label}`)} value={value} onChange={set} allowDecimal={false} required={required} clampBehavior="strict" {...bounds} />
  );
  return (
    <form className="watch-form" onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && onCancel()}>
      {rule.threshold !== null && field(part ? "percent" : "metres", threshold, setThreshold, part ? { min: 1, max: 94 } : { min: 10, max: 2000 })}
      {!part && field("seconds", seconds, setSeconds, { min: rule.kind === "past_promised" ? 0 : 5, max: 86_400 })}
      {field("escalate_after", escalate, setEscalate, { min: 10, max: 86_400 })}
      {field("repeat_after", repeat, setRepeat, { min: 60, max: 86_400 }, false)}
      <span className="watch-form-acts">
        <Button size="compact-sm" type="submit" loading={busy}>
          {t("action.save")}
        </Button>
        <Button size="compact-sm" variant="subtle" onClick={onCancel}>
          {t("action.cancel")}
        </Button>
      </span>
      <small>{t("watchdogs.atOnce")}</small>
    </form>
  );
}

function Report({ report, rules }: { report: AlarmReport; rules: WatchdogRules }) {
  const name = (key: string | null, kind: AlarmKind): string => {
    const rule = rules.rules.find((each) => each.key === key);
    return [t(`alarms.kinds.${kind}`), rule && ruleScope(rule, rules.rules)].filter(Boolean).join(" · ");
  };
  return (
    <>
      <dl className="watch-sums">
        <div>
          <dt>{t("watchdogs.report.raised")}</dt>
          <dd>{report.raised}</dd>
        </div>
        <div>
          <dt>{t("watchdogs.report.unanswered")}</dt>
          <dd>{t("watchdogs.report.percent", { n: report.unanswered_percent })}</dd>
        </div>
        <div>
          <dt>{t("watchdogs.report.flood")}</dt>
          <dd>{age(report.flood_minutes * 60_000)}</dd>
        </div>
      </dl>
      {report.rules.length === 0 ? (
        <p className="card-empty">{t("watchdogs.report.none")}</p>
      ) : (
        <table className="watch-table">
          <caption>{t("watchdogs.report.noisiest")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("watchdogs.report.rule")}</th>
              <th scope="col">{t("watchdogs.report.raised")}</th>
              <th scope="col">{t("watchdogs.report.unanswered")}</th>
              <th scope="col">{t("watchdogs.report.escalated")}</th>
              <th scope="col">{t("watchdogs.report.after")}</th>
            </tr>
          </thead>
          <tbody>
            {report.rules.map((each) => (
              <tr key={`${each.rule}:${each.kind}`}>
                <th scope="row">{name(each.rule, each.kind)}</th>
                <td>{each.raised}</td>
                <td className={each.unanswered_percent > 50 ? "watch-fared-noisy" : undefined}>{t("watchdogs.report.percent", { n: each.unanswered_percent })}</td>
                <td>{each.escalated}</td>
                <td>{each.answered_after_seconds === null ? t("watchdogs.report.never") : age(each.answered_after_seconds * 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="watch-hint">{t("watchdogs.report.hint")}</p>
    </>
  );
}
