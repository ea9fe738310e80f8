import "./supervision.css";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { callsSince, unlinkedDuplicates } from "../../lib/calls";
import { useCatalogue } from "../../lib/catalogue";
import { clock } from "../../lib/clock";
import { age, hour } from "../../lib/format";
import { t, word } from "../../lib/i18n";
import { board, useKinds, useSecond } from "../../lib/live";
import { acknowledgedIn, byDesk, byHandler, escalated, lateIncidents, lateUnits, loads, shelvedAlarms, waitingReports, type Late, type Load } from "../../lib/supervision";
import { PriorityMark } from "../../lib/ui/PriorityMark";
import { factsOf, scoreWords } from "../calls/Duplicates";
import { select, useDesk } from "../desk";

const [MINUTE, HOUR] = [60_000, 3_600_000];
const MOST = 12; // of each list: the rest is counted

/** Who watches over the room: where it piles up and who is late, each line one click from it. Read off the board, so it is as live as it. */
export function Supervision() {
  useKinds("incident", "unit", "report", "alarm");
  const now = useSecond();
  const { priorities } = useCatalogue();
  const incidents = board.incidents();
  const late = lateIncidents(incidents, priorities, now);
  const units = lateUnits(board.units(), new Map(incidents.map((incident) => [incident.id, incident])), now);
  const waiting = waitingReports(board.reports());
  const alarms = escalated(board.alarms());
  const shelved = shelvedAlarms(board.alarms());
  const desks = loads(incidents, now, byDesk);
  const handlers = loads(incidents, now, byHandler);
  const calls = useQuery({ queryKey: ["calls-last-hour"], queryFn: () => callsSince(clock.now() - HOUR), refetchInterval: MINUTE });
  const unlinked = useQuery({ queryKey: ["unlinked-duplicates"], queryFn: unlinkedDuplicates, refetchInterval: MINUTE / 2 });
  const heard = acknowledgedIn(incidents, now);
  const facts = [
    ["waiting", waiting.length],
    ["unheard", desks.reduce((sum, { unheard }) => sum + unheard, 0)],
    ["late", late.length],
    ["calls", calls.data?.calls ?? "—"],
    ["acknowledge", heard === null ? "—" : age(heard)],
  ] as const;
  return (
    <section className="supervision" data-scroll aria-label={t("supervision.title")}>
      <dl className="figures">
        {facts.map(([name, count]) => (
          <div key={name}>
            <dt>{t(`supervision.facts.${name}`)}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <Block name="handlers" count={handlers.length}>
        <Loads loads={handlers} column="handler" nobody={t("handler.nobody")} />
      </Block>
      <Block name="desks" count={desks.length}>
        <Loads loads={desks} column="desk" nobody={t("supervision.noDesk")} />
      </Block>
      <Block name="incidents" count={late.length}>
        <Lines lines={late} say={({ status, over }) => t(`supervision.target.${status}`, { over: age(over) })} />
      </Block>
      <Block name="units" count={units.length}>
        <Lines lines={units} say={({ status, age: since }) => `${word("unit", status)} · ${age(since)}`} />
      </Block>
      <Block name="reports" count={waiting.length}>
        <ul>
          {waiting.slice(0, MOST).map((report) => (
            <Row key={report.id} subject={report.subject} name={report.place || report.words} detail={report.place ? report.words : ""} said={age(now - Date.parse(report.received_at))} />
          ))}
        </ul>
        <Rest count={waiting.length} />
      </Block>
      <Block name="duplicates" count={unlinked.data?.total ?? 0}>
        <ul>
          {unlinked.data?.pairs.map(({ subject, code, place, words, like }) => (
            <Row
              key={subject}
              subject={subject}
              name={t("supervision.looksLike", { one: code ?? t("supervision.report"), other: like.code })}
              detail={[place || words, factsOf(like, now)].join(" · ")}
              said={scoreWords(like.score)}
            />
          ))}
        </ul>
        <Rest count={unlinked.data?.total ?? 0} />
      </Block>
      <Block name="alarms" count={alarms.length}>
        <ul>
          {alarms.slice(0, MOST).map((alarm) => (
            <Row key={alarm.id} subject={alarm.incident_id ? `incident:${alarm.incident_id}` : `unit:${alarm.unit_id ?? ""}`} name={word("alarms.kinds", alarm.kind)} detail={[alarm.call_sign, alarm.incident_code].filter(Boolean).join(" · ")} said={t("supervision.step", { n: alarm.level ?? 0, age: age(now - Date.parse(alarm.raised_at)) })} />
          ))}
        </ul>
        <Rest count={alarms.length} />
      </Block>
      <Block name="shelved" count={shelved.length}>
        <ul>
          {shelved.slice(0, MOST).map((alarm) => (
            <Row key={alarm.id} subject={alarm.incident_id ? `incident:${alarm.incident_id}` : `unit:${alarm.unit_id ?? ""}`} name={word("alarms.kinds", alarm.kind)} detail={[alarm.call_sign, alarm.incident_code, alarm.shelved_by].filter(Boolean).join(" · ")} said={t("supervision.returns", { hour: hour(alarm.shelved_until ?? "") })} />
          ))}
        </ul>
        <Rest count={shelved.length} />
      </Block>
    </section>
  );
}

function Loads({ loads: found, column, nobody }: { loads: Load[]; column: "desk" | "handler"; nobody: string }) {
  return (
    <table className="supervision-desks">
      <thead>
        <tr>
          {[column, "open", "unheard", "late"].map((each) => (
            <th key={each} scope="col">
              {t(`supervision.columns.${each}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {found.map(({ whose, open, unheard, late }) => (
          <tr key={whose ?? ""}>
            <th scope="row">{whose ?? nobody}</th>
            <td>{open}</td>
            <td>{unheard}</td>
            <td>{late}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Block({ name, count, children }: { name: string; count: number; children: ReactNode }) {
  return (
    <section className="supervision-block">
      <h2>
        {t(`supervision.blocks.${name}`)} <span className="count">{count}</span>
      </h2>
      {count > 0 ? children : <p className="supervision-none">{t(`supervision.none.${name}`)}</p>}
    </section>
  );
}

function Lines({ lines, say }: { lines: Late[]; say: (line: Late) => string }) {
  return (
    <>
      <ul>
        {lines.slice(0, MOST).map((line) => (
          <Row key={line.subject} subject={line.subject} name={line.name} detail={line.detail} said={say(line)} mark={line.priority && <PriorityMark level={line.priority} size={20} />} />
        ))}
      </ul>
      <Rest count={lines.length} />
    </>
  );
}

const Rest = ({ count }: { count: number }) => (count > MOST ? <p className="supervision-none">{t("supervision.more", { count: count - MOST })}</p> : null);

function Row({ subject, name, detail, said, mark }: { subject: string; name: string; detail: string; said: string; mark?: ReactNode }) {
  const selected = useDesk((state) => state.selected === subject);
  return (
    <li>
      <button type="button" className="supervision-row" aria-current={selected || undefined} onClick={() => select(subject)}>
        {mark}
        <span className="supervision-what">
          <strong>{name}</strong>
          {detail && <small>{detail}</small>}
        </span>
        <span className="supervision-said">{said}</span>
      </button>
    </li>
  );
}
