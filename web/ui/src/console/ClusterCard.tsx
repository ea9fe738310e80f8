import "./storm.css";
import { Button, Checkbox, Select } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { newId } from "../lib/api";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { ago, hour, placeLine } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard, useSecond } from "../lib/live";
import { matches } from "../lib/queue";
import { useMay } from "../lib/session";
import { findCluster, mayStandBehind } from "../lib/storm";
import { say } from "../lib/toasts";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { Since } from "../lib/ui/Timer";
import { acceptCluster } from "../lib/verbs";
import type { Incident, IncidentCluster, Level, Report, ReportCluster } from "../lib/wire";
import { CardHead } from "./CardHead";
import { openForm, select } from "./desk";
import { PriorityPicker } from "./IncidentForm";
import { useAct } from "./useAct";
import { frame, useClusters, useRound } from "./useStorm";

const reportsOf = ({ report_ids }: ReportCluster) => report_ids;
const incidentsOf = ({ incident_ids }: IncidentCluster) => incident_ids;
const where = (place: string | null, zone: string | null): string => placeLine(place, zone) || t("report.noPlace");

/** What stands behind one line of the queue. */
export function ClusterCard({ subject }: { subject: string }) {
  useBoard();
  const { data, isPending } = useClusters(true);
  const [, kind, first = ""] = subject.split(":");
  // Its oldest may be handled by somebody else: the rest is still what was opened.
  const known = useRef<string[]>([first]);
  const reports = kind === "report" ? findCluster(data?.reports ?? [], reportsOf, known.current) : null;
  const incidents = kind === "incident" ? findCluster(data?.incidents ?? [], incidentsOf, known.current) : null;
  useEffect(() => {
    const ids = reports?.report_ids ?? incidents?.incident_ids;
    if (ids) known.current = [...new Set([...known.current, ...ids])];
  }, [reports, incidents]);
  if (reports) return <Reports cluster={reports} />;
  if (incidents) return <Incidents cluster={incidents} />;
  return (
    <>
      <CardHead mark={<IconStack2 size={26} aria-hidden />} title={t(isPending ? "page.loading" : "storm.cluster.gone")} />
      {!isPending && <p className="card-empty">{t("storm.cluster.goneWhy")}</p>}
    </>
  );
}

function Reports({ cluster }: { cluster: ReportCluster }) {
  const now = useSecond();
  const may = useMay("report.triage");
  const queries = useQueryClient();
  const { types, type } = useCatalogue();
  const [code, setCode] = useState(cluster.type_code);
  const [priority, setPriority] = useState<Level | null>(null);
  // What was there when it was opened is ticked; what comes under the hand is not, until somebody says so.
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => new Set(cluster.report_ids));
  const typeField = useRef<HTMLInputElement>(null);
  const { busy, failure, act, setFailure } = useAct();
  const members = cluster.report_ids.flatMap((id) => {
    const report = board.get<Report>(`report:${id}`);
    return report?.status === "received" ? [report as Placed<Report>] : [];
  });
  const chosen = members.filter(({ id }) => ticked.has(id));
  const sent = [code, priority, ...chosen.map(({ id }) => id)].join(" ");
  // Another choice is another act: its ids must not be those of a try that nobody answered.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const ids = useMemo(() => ({ id: newId(), incident_id: newId() }), [sent]);

  const places = members.flatMap(({ id, at }) => (at ? [{ at, over: !ticked.has(id) }] : []));
  useRound(places);
  const framed = useRef(false);
  useEffect(() => {
    if (framed.current) return;
    framed.current = true;
    frame(places.map(({ at }) => at));
  }, [places]);
  useEffect(() => {
    if (!code) typeField.current?.focus();
    // Only when it opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const send = () => {
    if (busy || !may) return;
    if (!code) {
      setFailure(t("form.needsType"));
      typeField.current?.focus();
      return;
    }
    if (chosen.length === 0) return setFailure(t("storm.cluster.none"));
    void act(() => acceptCluster({ ...ids, type_code: code, priority: priority ?? undefined, report_ids: chosen.map(({ id }) => id) })).then((made) => {
      void queries.invalidateQueries({ queryKey: ["storm-clusters"] });
      if (!made) return;
      say(t("storm.cluster.accepted", { count: chosen.length, code: made.code }));
      select(`incident:${made.incident_id}`);
    });
  };
  useKey("ctrl+enter", send, may);
  useKey("a", () => typeField.current?.focus(), may);

  const tick = (id: string, on: boolean) => setTicked((held) => new Set(on ? [...held, id] : [...held].filter((each) => each !== id)));
  const every = members.length > 0 && chosen.length === members.length;
  return (
    <>
      <CardHead
        mark={<IconStack2 size={26} aria-hidden />}
        title={cluster.type_name ?? t("storm.cluster.noType")}
        code={t("storm.cluster.reports", { count: members.length, hour: hour(cluster.since) })}
        place={where(cluster.place, cluster.zone)}
        side={<Since at={cluster.since} className="timer timer-big" />}
      />
      <blockquote className="as-told">
        <p>{cluster.words}</p>
        <footer>{t("storm.cluster.first")}</footer>
      </blockquote>
      <section className="card-section act">
        {may && (
          <>
            <Select
              ref={typeField}
              label={t("form.type")}
              placeholder={t("form.typeExample")}
              data={types.map(({ code: value, name: label }) => ({ value, label }))}
              value={code}
              onChange={(next) => {
                setCode(next);
                setPriority(null);
              }}
              searchable
              openOnFocus={false}
              selectFirstOptionOnChange
              filter={({ options, search }) => options.filter((option) => "label" in option && matches(search, option.label))}
              nothingFoundMessage={t("form.noType")}
            />
            <PriorityPicker value={priority ?? type(code)?.priority ?? null} suggested={type(code)?.priority ?? null} onChange={setPriority} />
            {failure && (
              <p className="form-failure" role="alert">
                {failure}
              </p>
            )}
            <div className="form-buttons">
              <Button loading={busy} disabled={chosen.length === 0} onClick={send}>
                {t("storm.cluster.accept", { count: chosen.length })} <kbd>{"Ctrl ↵"}</kbd>
              </Button>
            </div>
          </>
        )}
      </section>
      <section className="card-section">
        <h3>
          {may ? (
            <Checkbox size="xs" checked={every} indeterminate={!every && chosen.length > 0} label={t("storm.cluster.members", { count: members.length })} onChange={() => setTicked(every ? new Set() : new Set(members.map(({ id }) => id)))} />
          ) : (
            t("storm.cluster.members", { count: members.length })
          )}
        </h3>
        <ul className="cluster-members">
          {members.map((report) => (
            <li key={report.id} className={ticked.has(report.id) ? undefined : "cluster-out"}>
              {may && <Checkbox size="xs" checked={ticked.has(report.id)} aria-label={t("storm.cluster.take", { words: report.words })} onChange={(event) => tick(report.id, event.currentTarget.checked)} />}
              <button type="button" onClick={() => select(report.subject)}>
                <span>{report.words}</span>
                <small>{[where(report.place, report.zone), ago(report.received_at, now)].join(" · ")}</small>
              </button>
            </li>
          ))}
        </ul>
        {may && <p className="hint">{t("storm.cluster.hint")}</p>}
      </section>
    </>
  );
}

function Incidents({ cluster }: { cluster: IncidentCluster }) {
  const now = useSecond();
  const mayGive = useMay("unit.dispatch");
  const members = cluster.incident_ids.flatMap((id) => {
    const incident = board.get<Incident>(`incident:${id}`);
    return incident && mayStandBehind(incident) ? [incident] : [];
  });
  const places = members.flatMap(({ at }) => (at ? [{ at }] : []));
  useRound(places);
  const framed = useRef(false);
  useEffect(() => {
    if (framed.current) return;
    framed.current = true;
    frame(places.map(({ at }) => at));
  }, [places]);
  return (
    <>
      <CardHead
        mark={<IconStack2 size={26} aria-hidden />}
        title={cluster.type_name ?? cluster.type_code ?? ""}
        code={t("storm.cluster.incidents", { count: members.length, hour: hour(cluster.since) })}
        place={where(cluster.place, cluster.zone)}
        side={<Since at={cluster.since} className="timer timer-big" />}
      />
      {mayGive && (
        <div className="card-actions">
          <Button variant="default" onClick={() => openForm("circuits")}>
            {t("storm.circuits.title")} <kbd>{"G S"}</kbd>
          </Button>
        </div>
      )}
      <section className="card-section">
        <ul className="cluster-members">
          {members.map((incident) => (
            <li key={incident.id}>
              <PriorityMark level={incident.priority} size={22} />
              <button type="button" onClick={() => select(incident.subject)}>
                <span>{where(incident.place, incident.zone)}</span>
                <small>{[incident.code, ago(incident.opened_at, now)].join(" · ")}</small>
              </button>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
