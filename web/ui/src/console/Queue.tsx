import { Button, SegmentedControl, UnstyledButton } from "@mantine/core";
import { IconBellRinging, IconLock, IconMapPinOff, IconPlus, IconStack2, IconUsers } from "@tabler/icons-react";
import { useEffect, useRef, useState, type FocusEvent } from "react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { hour, placeLine } from "../lib/format";
import { t, word } from "../lib/i18n";
import { channelIcon, typeIcon } from "../lib/icons";
import { useKey } from "../lib/keys";
import { board, useBoard } from "../lib/live";
import { useMay } from "../lib/session";
import { isOver, isUnacknowledged } from "../lib/queue";
import { foldIncidents, foldReports, isGroup, type IncidentGroup, type ReportGroup } from "../lib/storm";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { Since, TargetTimer } from "../lib/ui/Timer";
import { UnitPill } from "../lib/ui/UnitPill";
import type { Incident, Level, Report } from "../lib/wire";
import { desk, newIncident, select, useDesk } from "./desk";
import { useIncidents, useReports, useStill, type Filter } from "./useQueue";
import { useClusters, useGrouped, useStorm } from "./useStorm";

/** What waits: reports to sort, then incidents by need. J and K walk through both. In a storm what belongs together is one line. */
export function Queue() {
  const [filter, setFilter] = useState<Filter>("all");
  const [inside, setInside] = useState({ pointer: false, focus: false });
  const frozen = inside.pointer || inside.focus;
  const mayOpen = useMay("incident.open");
  const mayGroup = useMay("report.triage");
  const storm = useStorm();
  const grouped = useGrouped() && mayGroup && storm !== null;
  const { type } = useCatalogue();
  const clusters = useHeld(useClusters(grouped).data, frozen);
  const [allReports, allIncidents] = [useReports(), useIncidents(filter)];
  const reports = useStill(grouped ? foldReports(allReports, clusters, (code) => type(code)?.priority) : allReports, frozen);
  const incidents = useStill(grouped ? foldIncidents(allIncidents, clusters, new Set(board.sos().map(({ incident_id }) => incident_id))) : allIncidents, frozen);
  const selected = useDesk((state) => state.selected);
  const order = [...reports.rows, ...incidents.rows].map(({ item }) => item.subject);

  const step = (by: number) => {
    const at = selected ? order.indexOf(selected) : -1;
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(order.length - 1, Math.max(0, at + by))];
    if (next) {
      select(next);
      document.getElementById(rowId(next))?.scrollIntoView({ block: "nearest" });
    }
  };
  useKey("j", () => step(1));
  useKey("k", () => step(-1));

  // Only a keyboard's focus holds the list; after a click the pointer says when it leaves.
  const onFocus = (event: FocusEvent) => setInside((held) => ({ ...held, focus: event.target.matches(":focus-visible") }));
  const onBlur = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget)) setInside((held) => ({ ...held, focus: false }));
  };

  return (
    <section
      className="queue"
      aria-label={t("queue.title")}
      onPointerEnter={(event) => event.pointerType === "mouse" && setInside((held) => ({ ...held, pointer: true }))}
      onPointerLeave={() => setInside((held) => ({ ...held, pointer: false }))}
      onFocus={onFocus}
      onBlur={onBlur}
    >
      <div className="queue-reports">
        <header className="queue-head">
          <h2>
            {t("queue.reports")} <span className="count">{reports.rows.reduce((sum, { item, gone }) => sum + (gone ? 0 : isGroup(item) ? item.members.length : 1), 0)}</span>
          </h2>
          <HeldChip count={reports.held.length} onClick={reports.thaw} />
          {mayOpen && (
            <Button size="compact-sm" variant="default" leftSection={<IconPlus size={15} />} onClick={() => newIncident()}>
              {t("queue.new")} <kbd>{"N"}</kbd>
            </Button>
          )}
        </header>
        {reports.rows.length === 0 ? (
          <p className="queue-empty">{t("queue.noReports")}</p>
        ) : (
          <ul className="rows">
            {reports.rows.map(({ item, gone }) =>
              isGroup(item) ? (
                <GroupRow key={item.subject} group={item} gone={gone} selected={selected === item.subject} count={t("storm.cluster.count", { count: item.members.length })} />
              ) : (
                <ReportRow key={item.subject} report={item} gone={gone} selected={selected === item.subject} />
              ),
            )}
          </ul>
        )}
      </div>
      <div className="queue-incidents">
        <header className="queue-head">
          <h2>
            {t("queue.incidents")} <span className="count">{incidents.rows.reduce((sum, { item, gone }) => sum + (gone ? 0 : isGroup(item) ? item.members.length : isOver(item) ? 0 : 1), 0)}</span>
          </h2>
          <HeldChip count={incidents.held.length} urgent={incidents.held.some((item) => !isGroup(item) && !item.masked && item.priority === 1)} onClick={incidents.thaw} />
          <SegmentedControl
            size="xs"
            aria-label={t("queue.filter")}
            value={filter}
            onChange={(value) => setFilter(value as Filter)}
            data={(["all", "unassigned", "overdue"] as const).map((value) => ({ value, label: t(`queue.filters.${value}`) }))}
          />
        </header>
        {incidents.rows.length === 0 ? (
          <p className="queue-empty">{t(filter === "all" ? "queue.noIncidents" : "queue.noneLikeThat")}</p>
        ) : (
          <ul className="rows">
            {incidents.rows.map(({ item, gone }) =>
              isGroup(item) ? (
                <GroupRow key={item.subject} group={item} gone={gone} selected={selected === item.subject} count={t("storm.cluster.wait", { count: item.members.length })} priority={item.members[0]?.priority} />
              ) : (
                <IncidentRow key={item.subject} incident={item} gone={gone} selected={selected === item.subject} />
              ),
            )}
          </ul>
        )}
      </div>
    </section>
  );
}

export const rowId = (subject: string): string => `row-${subject.replace(":", "-")}`;

function HeldChip({ count, urgent = false, onClick }: { count: number; urgent?: boolean; onClick: () => void }) {
  return (
    <span role="status" className="held">
      {count > 0 && (
        <UnstyledButton className="held-chip" onClick={onClick}>
          {urgent && <PriorityMark level={1} size={18} />}
          {t("queue.held", { count })}
        </UnstyledButton>
      )}
    </span>
  );
}

function useVisibleWhenSelected(selected: boolean) {
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (selected) row.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return row;
}

function openCard(subject: string) {
  select(subject);
  // The keyboard goes on where the work is.
  if (document.activeElement?.matches(":focus-visible")) requestAnimationFrame(() => document.getElementById("card")?.focus());
}

/** What belongs together keeps its shape while the list is held, like everything in it. */
function useHeld<T>(latest: T, frozen: boolean): T {
  const [held, setHeld] = useState(latest);
  if (!frozen && held !== latest) setHeld(latest);
  return frozen ? held : latest;
}

/** Many that tell of the same, or ask for the same: one line, how many, where, since when. */
function GroupRow({ group, gone, selected, count, priority }: { group: ReportGroup | IncidentGroup; gone: boolean; selected: boolean; count: string; priority?: Level }) {
  const row = useVisibleWhenSelected(selected);
  const { type } = useCatalogue();
  const { cluster, members, subject } = group;
  const Type = cluster.type_code ? typeIcon(type(cluster.type_code)?.icon) : IconStack2;
  return (
    <li ref={row} className={`row row-group${selected ? " row-selected" : ""}${gone ? " row-gone" : ""}`}>
      <button type="button" id={rowId(subject)} aria-current={selected || undefined} onClick={() => openCard(subject)}>
        <span className="row-mark">{priority ? <PriorityMark level={priority} /> : <Type size={20} aria-hidden />}</span>
        <span className="row-body">
          <span className="row-title">
            {priority && <Type size={16} aria-hidden />} <span>{cluster.type_name ?? t("storm.cluster.noType")}</span>
          </span>
          <span className="row-place">
            <span>{[cluster.zone ?? cluster.place, count].filter(Boolean).join(" · ")}</span>
          </span>
        </span>
        <span className="row-side">
          <b className="row-count">{members.length}</b>
          <span className="row-note">{t("storm.cluster.since", { hour: hour(cluster.since) })}</span>
        </span>
      </button>
    </li>
  );
}

function ReportRow({ report, gone, selected }: { report: Placed<Report>; gone: boolean; selected: boolean }) {
  const row = useVisibleWhenSelected(selected);
  const Channel = channelIcon(report.channel);
  return (
    <li ref={row} className={`row row-report${selected ? " row-selected" : ""}${gone ? " row-gone" : ""}`}>
      <button type="button" id={rowId(report.subject)} aria-current={selected || undefined} onClick={() => openCard(report.subject)}>
        <span className="row-mark" title={word("channel", report.channel)}>
          <Channel size={20} aria-label={word("channel", report.channel)} />
        </span>
        <span className="row-body">
          <span className="row-title row-words">{report.words}</span>
          <span className="row-place">
            {!report.at && <IconMapPinOff size={14} aria-label={t("report.noPlaceYet")} />}
            <span>{placeLine(report.place, report.zone) || t("report.noPlace")}</span>
          </span>
        </span>
        <span className="row-side">
          {gone ? <span className="row-note">{t("queue.handled")}</span> : <Since at={report.received_at} />}
        </span>
      </button>
    </li>
  );
}

function IncidentRow({ incident, gone, selected }: { incident: Placed<Incident>; gone: boolean; selected: boolean }) {
  const row = useVisibleWhenSelected(selected);
  const { type } = useCatalogue();
  if (incident.masked) return <MaskedRow incident={incident} gone={gone} selected={selected} />;
  const Type = typeIcon(type(incident.type_code)?.icon);
  const over = isOver(incident);
  const unheard = isUnacknowledged(incident);
  const classes = ["row", selected && "row-selected", (gone || over) && "row-gone", unheard && incident.priority === 1 && "row-alarm"].filter(Boolean).join(" ");
  return (
    <li ref={row} className={classes}>
      <button type="button" id={rowId(incident.subject)} aria-current={selected || undefined} onClick={() => openCard(incident.subject)}>
        <span className="row-mark">
          <PriorityMark level={incident.priority} muted={over} hollow={incident.state === "under_control"} />
        </span>
        <span className="row-body">
          <span className="row-title">
            <Type size={16} aria-hidden /> <span>{incident.type_name}</span>
          </span>
          <span className="row-place">
            <span>{placeLine(incident.place, incident.zone)}</span>
          </span>
        </span>
        <span className="row-side">
          <TargetTimer incident={incident} />
          <span className="row-facts">
            <AlarmBell incident={incident.id} />
            {incident.reports > 1 && (
              <span className="row-reports" title={t("incident.reports", { count: incident.reports })}>
                <IconUsers size={13} aria-hidden /> {incident.reports}
              </span>
            )}
            {over ? (
              <span className="row-note">{word("state", incident.state)}</span>
            ) : incident.assignments.length > 0 ? (
              <span className="row-pills">
                {incident.assignments.slice(0, incident.assignments.length === 3 ? 3 : 2).map(({ id, status }) => (
                  <UnitPill key={id} status={status as Parameters<typeof UnitPill>[0]["status"]} waiting={status === "assigned"} />
                ))}
                {incident.assignments.length > 3 && <span>{`+${incident.assignments.length - 2}`}</span>}
              </span>
            ) : (
              <span className={unheard ? "row-note row-note-strong" : "row-note"}>{unheard ? t("incident.noUnits") : word("state", incident.state)}</span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}

/** Something about it is an alarm that nobody has answered. */
function AlarmBell({ incident }: { incident: string }) {
  useBoard();
  const alarm = board.alarms().find(({ incident_id, state }) => incident_id === incident && state === "raised");
  return alarm ? <IconBellRinging size={14} aria-label={t("alarms.onRow", { what: t(`alarms.kinds.${alarm.kind}`) })} /> : null;
}

function MaskedRow({ incident, gone, selected }: { incident: Incident; gone: boolean; selected: boolean }) {
  return (
    <li className={`row${selected ? " row-selected" : ""}${gone ? " row-gone" : ""}`}>
      <button type="button" id={rowId(incident.subject)} aria-current={selected || undefined} onClick={() => desk.setState({ selected: incident.subject, form: null, pane: "card" })}>
        <span className="row-mark">
          <IconLock size={20} aria-hidden />
        </span>
        <span className="row-body">
          <span className="row-title">{t("incident.masked")}</span>
          <span className="row-place">{incident.code}</span>
        </span>
        <span className="row-side">
          <Since at={incident.opened_at} />
          <span className="row-note">{word("state", incident.state)}</span>
        </span>
      </button>
    </li>
  );
}
