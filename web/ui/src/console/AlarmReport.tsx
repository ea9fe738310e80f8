import { Button, Modal, SegmentedControl } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { alarmCsv, ruleScope, WEEKS_SHOWN, type WeekOfAlarms } from "../lib/alarms";
import { explain } from "../lib/explain";
import { age, stamp } from "../lib/format";
import { LOCALE, t, word } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { soundTests } from "../lib/seat";
import { useMay } from "../lib/session";
import { alarmReport, watchdogs } from "../lib/verbs";
import type { AlarmKind, AlarmReport as Report, WatchdogRules } from "../lib/wire";
import { desk, useDesk } from "./desk";

const TARGET = 1; // EEMUA 191: audible alarms in ten minutes, for one person, in the long run
const FLOOD_TARGET = 1; // percent of the time
const MINUTES_OF_A_WEEK = 7 * 24 * 60;

/** The paper by which noisy rules get fixed: week by week, each figure with what it was counted from. */
export function AlarmReport() {
  const open = useDesk((state) => state.sheet === "alarmReport");
  const may = useMay("policy.edit");
  return (
    <Modal transitionProps={{ duration: 0 }} closeOnEscape={false} opened={open && may} onClose={() => desk.setState({ sheet: null })} title={t("alarmReport.title")} size="72rem" closeButtonProps={{ "aria-label": t("action.close") }}>
      <Body />
    </Modal>
  );
}

function Body() {
  const [weeks, setWeeks] = useState("4");
  const report = useQuery({ queryKey: ["alarm-report", weeks], queryFn: () => alarmReport(Number(weeks)), placeholderData: keepPreviousData });
  const rules = useQuery({ queryKey: ["watchdogs", "report"], queryFn: watchdogs });
  if (report.error && !report.data)
    return (
      <p className="form-failure" role="alert">
        {explain(report.error)}
      </p>
    );
  if (!report.data) return <p className="card-empty">{t("page.loading")}</p>;
  return (
    <div className="alarm-report">
      <div className="alarm-report-tools">
        <SegmentedControl aria-label={t("watchdogs.report.period")} value={weeks} onChange={setWeeks} data={WEEKS_SHOWN.map((value) => ({ value: String(value), label: t("watchdogs.report.weeks", { count: value }) }))} />
        <Button variant="default" size="compact-md" leftSection={<IconDownload size={16} />} component="a" href={`data:text/csv;charset=utf-8,${encodeURIComponent(alarmCsv(report.data))}`} download={t("alarmReport.file")}>
          {t("alarmReport.csv")}
        </Button>
      </div>
      <Weeks weeks={report.data.weeks} />
      <Noisiest report={report.data} rules={rules.data} />
      <Seats />
      <ul className="alarm-report-how">
        {(["unanswered", "flood", "heard"] as const).map((each) => (
          <li key={each}>{t(`alarmReport.how.${each}`)}</li>
        ))}
      </ul>
    </div>
  );
}

function Weeks({ weeks }: { weeks: WeekOfAlarms[] }) {
  const now = useSecond();
  return (
    <div className="alarm-report-scroll" tabIndex={0} role="group" aria-label={t("alarmReport.byWeek")}>
      <table>
        <caption>{t("alarmReport.byWeek")}</caption>
        <thead>
          <tr>
            {(["week", "raised", "unanswered", "flood", "heard"] as const).map((each) => (
              <th key={each} scope="col">
                {t(`alarmReport.columns.${each}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week.until}>
              <td>{stamp(week.since, now)}</td>
              <td>{week.raised}</td>
              <td className={week.unanswered_percent > 50 ? "alarm-report-bad" : undefined}>
                {t("watchdogs.report.percent", { n: week.unanswered_percent })} <small>{t("alarmReport.of", { part: week.unanswered, whole: week.raised })}</small>
              </td>
              <td className={(100 * week.flood_minutes) / MINUTES_OF_A_WEEK > FLOOD_TARGET ? "alarm-report-bad" : undefined}>{t("alarmReport.minutes", { n: week.flood_minutes })}</td>
              <td className={(week.heard_per_ten_minutes ?? 0) > TARGET ? "alarm-report-bad" : undefined}>
                {week.heard_per_ten_minutes === null ? t("alarmReport.nobody") : decimal.format(week.heard_per_ten_minutes)}
                <small>{t("alarmReport.seats", { heard: week.heard, seats: week.seats, silenced: week.silenced })}</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const decimal = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });

function Noisiest({ report, rules }: { report: Report; rules: WatchdogRules | undefined }) {
  const name = (key: string | null, kind: AlarmKind): string => {
    const rule = rules?.rules.find((each) => each.key === key);
    return [t(`alarms.kinds.${kind}`), rule && rules && ruleScope(rule, rules.rules)].filter(Boolean).join(" · ");
  };
  if (report.rules.length === 0) return <p className="card-empty">{t("watchdogs.report.none")}</p>;
  return (
    <div className="alarm-report-scroll" tabIndex={0} role="group" aria-label={t("watchdogs.report.noisiest")}>
      <table>
        <caption>{t("watchdogs.report.noisiest")}</caption>
        <thead>
          <tr>
            {(["rule", "raised", "unanswered", "escalated", "after"] as const).map((each) => (
              <th key={each} scope="col">
                {t(`watchdogs.report.${each}`)}
              </th>
            ))}
            <th scope="col">{t("alarmReport.fix")}</th>
          </tr>
        </thead>
        <tbody>
          {report.rules.map((each) => (
            <tr key={`${each.rule}:${each.kind}`}>
              <th scope="row">{name(each.rule, each.kind)}</th>
              <td>{each.raised}</td>
              <td className={each.unanswered_percent > 50 ? "alarm-report-bad" : undefined}>{t("watchdogs.report.percent", { n: each.unanswered_percent })}</td>
              <td>{each.escalated}</td>
              <td>{each.answered_after_seconds === null ? t("watchdogs.report.never") : age(each.answered_after_seconds * 1000)}</td>
              <td>{each.rule && <a href={`/tarjetas?ver=vigilancia#regla-${each.rule}`}>{t("alarmReport.goFix")}</a>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Whose sound was not tried this shift. */
function Seats() {
  const now = useSecond();
  const { data } = useQuery({ queryKey: ["sound-tests"], queryFn: soundTests, refetchInterval: 30_000 });
  if (!data || data.seats.length === 0) return null;
  return (
    <table>
      <caption>{t("alarmReport.tests")}</caption>
      <tbody>
        {data.seats.map(({ name, role, tested_at, heard }) => (
          <tr key={name}>
            <th scope="row">
              {name} <small>{word("role", role)}</small>
            </th>
            <td className={heard ? undefined : "alarm-report-bad"}>{tested_at ? t(heard ? "alarmReport.heardAt" : "alarmReport.notHeard", { at: stamp(tested_at, now) }) : t("alarmReport.untested")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
