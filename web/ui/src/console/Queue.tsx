import { Button, SegmentedControl, UnstyledButton } from "@mantine/core";
import { IconBellRinging, IconLock, IconMapPinOff, IconPlus, IconStack2, IconUsers } from "@tabler/icons-react";
import { useState, type CSSProperties, type FocusEvent, type ReactNode } from "react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { hour, placeLine } from "../lib/format";
import { t, word } from "../lib/i18n";
import { channelIcon, typeIcon } from "../lib/icons";
import { useKey } from "../lib/keys";
import { board, useKinds, useLink } from "../lib/live";
import { shownClock, useInPast } from "../lib/moment";
import { useMay } from "../lib/session";
import { isOver, isOverdue, isUnacknowledged, nextUnheard } from "../lib/queue";
import { foldIncidents, foldReports, isGroup, type IncidentGroup, type ReportGroup } from "../lib/storm";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { Since, TargetTimer } from "../lib/ui/Timer";
import { UnitPill } from "../lib/ui/UnitPill";
import type { Incident, Level, Report } from "../lib/wire";
import { desk, newIncident, select, useDesk } from "./desk";
import { Rows, type Placement } from "./Rows";
import { FILTERS, useIncidents, useReports, useStill, type Filter } from "./useQueue";
import { useClusters, useGrouped, useStorm } from "./useStorm";

/** What waits: reports to sort, then incidents by need. J and K walk through both. In a storm what belongs together is one line. */
export function Queue() {
  const [filter, setFilter] = useState<Filter>("all");
  const [inside, setInside] = useState({ pointer: false, focus: false });
  const past = useInPast();
  // Nothing is done in the past, and a list held still would tell of another moment than the clock.
  const frozen = !past && (inside.pointer || inside.focus);
  const mayOpen = useMay("incident.open");
  const mayGroup = useMay("report.triage");
  const storm = useStorm();
  const grouped = useGrouped() && mayGroup && storm !== null;
  const { type } = useCatalogue();
  const clusters = useHeld(useClusters(grouped).data, frozen);
  const allReports = useReports();
  const { list: allIncidents, question } = useIncidents(filter);
  const loading = useLink(({ heardAt }) => heardAt === null);
  const reports = useStill(grouped ? foldReports(allReports, clusters, (code) => type(code)?.priority) : allReports, frozen, past ? "past" : "");
  const incidents = useStill(grouped ? foldIncidents(allIncidents, clusters, new Set(board.sos().map(({ incident_id }) => incident_id))) : allIncidents, frozen, question);
  const selected = useDesk((state) => state.selected);
  const order = [...reports.rows, ...incidents.rows].map(({ item }) => item.subject);

  const step = (by: number) => {
    const at = selected ? order.indexOf(selected) : -1;
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(order.length - 1, Math.max(0, at + by))];
    if (next) select(next);
  };
  useKey("j", () => step(1));
  useKey("k", () => step(-1));
  const { list: everyIncident } = useIncidents("all");
  const unheard = everyIncident.filter((incident) => !incident.masked && incident.priority === 1 && isUnacknowledged(incident)).length;
  const toUnheard = () => {
    const next = nextUnheard(everyIncident, desk.getState().selected);
    if (next) openCard(next.subject);
  };
  useKey("shift+n", toUnheard, unheard > 0);

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
        {loading ? (
          <Skeleton rows={1} />
        ) : reports.rows.length === 0 ? (
          <p className="queue-empty">{t("queue.noReports")}</p>
        ) : (
          <Rows subjects={reports.rows.map(({ item }) => item.subject)} selected={selected}>
            {(index, at) => {
              const { item, gone } = reports.rows[index] ?? {};
              if (!item) return null;
              return isGroup(item) ? (
                <GroupRow key={item.subject} at={at} group={item} gone={gone} selected={selected === item.subject} count={t("storm.cluster.count", { count: item.members.length })} />
              ) : (
                <ReportRow key={item.subject} at={at} report={item} gone={gone} selected={selected === item.subject} />
              );
            }}
          </Rows>
        )}
      </div>
      <div className="queue-incidents">
        <header className="queue-head">
          <h2>
            {t("queue.incidents")} <span className="count">{incidents.rows.reduce((sum, { item, gone }) => sum + (gone ? 0 : isGroup(item) ? item.members.length : isOver(item) ? 0 : 1), 0)}</span>
          </h2>
          <HeldChip count={incidents.held.length} urgent={incidents.held.some((item) => !isGroup(item) && !item.masked && item.priority === 1)} onClick={incidents.thaw} />
          {unheard > 0 && (
            <button type="button" className="queue-unheard" aria-keyshortcuts="Shift+N" onClick={toUnheard}>
              <PriorityMark level={1} size={18} /> {t("queue.unheard", { count: unheard })} <kbd>{"⇧N"}</kbd>
            </button>
          )}
        </header>
        <SegmentedControl
          size="xs"
          className="queue-filter"
          aria-label={t("queue.filter")}
          value={filter}
          onChange={(value) => setFilter(value as Filter)}
          data={FILTERS.map((value) => ({ value, label: t(`queue.filters.${value}`), disabled: past && value === "mine" }))}
        />
        {loading ? (
          <Skeleton rows={6} />
        ) : incidents.rows.length === 0 ? (
          <Quiet filter={filter} />
        ) : (
          <Rows subjects={incidents.rows.map(({ item }) => item.subject)} selected={selected}>
            {(index, at) => {
              const { item, gone } = incidents.rows[index] ?? {};
              if (!item) return null;
              return isGroup(item) ? (
                <GroupRow key={item.subject} at={at} group={item} gone={gone} selected={selected === item.subject} count={t("storm.cluster.wait", { count: item.members.length })} priority={item.members[0]?.priority} />
              ) : (
                <IncidentRow key={item.subject} at={at} incident={item} gone={gone} selected={selected === item.subject} />
              );
            }}
          </Rows>
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

/** Something is coming: rows without words, so that nobody reads an empty list as a quiet city. */
function Skeleton({ rows }: { rows: number }) {
  return (
    <div className="queue-skeleton" role="status" aria-label={t("page.loading")}>
      {Array.from({ length: rows }, (_, at) => (
        <span key={at} />
      ))}
    </div>
  );
}

/** Nothing there: that it is so, and since when nothing has changed. */
function Quiet({ filter }: { filter: Filter }) {
  useKinds("incident", "report");
  const news = [...board.incidents().map(({ closed_at, opened_at }) => closed_at ?? opened_at), ...board.reports().map(({ received_at }) => received_at)];
  const last = news.reduce((latest, at) => (Date.parse(at) > Date.parse(latest) ? at : latest), news[0] ?? "");
  if (filter !== "all") return <p className="queue-empty">{t("queue.noneLikeThat")}</p>;
  return (
    <p className="queue-empty">
      {t("queue.noIncidents")} {last && t("queue.lastNews", { hour: hour(last) })}
    </p>
  );
}

interface RowProps {
  at: Placement;
  selected: boolean;
  gone: boolean | undefined;
}

/** One line of either list, where the list says. */
function Row({ at, selected, gone, tone, subject, onOpen, children }: RowProps & { tone?: string; subject: string; onOpen: () => void; children: ReactNode }) {
  const place: CSSProperties = { transform: `translateY(${at.start}px)` };
  return (
    <li
      ref={at.measure}
      data-index={at.index}
      style={place}
      aria-setsize={at.count}
      aria-posinset={at.index + 1}
      className={["row", tone, selected && "row-selected", gone && "row-gone"].filter(Boolean).join(" ")}
    >
      <button type="button" id={rowId(subject)} aria-current={selected || undefined} onClick={onOpen}>
        {children}
      </button>
    </li>
  );
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
function GroupRow({ at, group, gone, selected, count, priority }: RowProps & { group: ReportGroup | IncidentGroup; count: string; priority?: Level | undefined }) {
  const { type } = useCatalogue();
  const { cluster, members, subject } = group;
  const Type = cluster.type_code ? typeIcon(type(cluster.type_code)?.icon) : IconStack2;
  return (
    <Row at={at} selected={selected} gone={gone} tone="row-group" subject={subject} onOpen={() => openCard(subject)}>
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
    </Row>
  );
}

function ReportRow({ at, report, gone, selected }: RowProps & { report: Placed<Report> }) {
  const Channel = channelIcon(report.channel);
  return (
    <Row at={at} selected={selected} gone={gone} tone="row-report" subject={report.subject} onOpen={() => openCard(report.subject)}>
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
    </Row>
  );
}

function IncidentRow({ at, incident, gone, selected }: RowProps & { incident: Placed<Incident> }) {
  const { type } = useCatalogue();
  if (incident.masked) return <MaskedRow at={at} incident={incident} gone={gone} selected={selected} />;
  const Type = typeIcon(type(incident.type_code)?.icon);
  const over = isOver(incident);
  const unheard = isUnacknowledged(incident);
  const tone = unheard && incident.priority === 1 ? "row-alarm" : isOverdue(incident, shownClock.now()) ? "row-late" : "";
  return (
    <Row at={at} selected={selected} gone={gone || over} tone={tone} subject={incident.subject} onOpen={() => openCard(incident.subject)}>
        <span className="row-mark">
          <PriorityMark level={incident.priority} muted={over} hollow={incident.state === "under_control"} />
        </span>
        <span className="row-body">
          <span className="row-title">
            <Type size={16} aria-hidden /> <span>{incident.type_name}</span>
          </span>
          <span className="row-place">
            <span>{incident.place ?? incident.zone}</span>
          </span>
          <span className="row-more">
            {incident.place && incident.zone && <span className="row-zone">{incident.zone}</span>}
            {incident.reports > 1 && (
              <span className="row-reports" title={t("incident.reports", { count: incident.reports })}>
                <IconUsers size={13} aria-hidden /> {incident.reports}
              </span>
            )}
            {incident.sensitivity > 1 && <IconLock size={13} aria-label={t("queue.reserved")} />}
          </span>
        </span>
        <span className="row-side">
          <TargetTimer incident={incident} />
          <span className="row-facts">
            <AlarmBell incident={incident.id} />
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
    </Row>
  );
}

/** Something about it is an alarm that nobody has answered. */
function AlarmBell({ incident }: { incident: string }) {
  useKinds("alarm");
  const alarm = board.alarms().find(({ incident_id, state }) => incident_id === incident && state === "raised");
  return alarm ? <IconBellRinging size={14} aria-label={t("alarms.onRow", { what: t(`alarms.kinds.${alarm.kind}`) })} /> : null;
}

function MaskedRow({ at, incident, gone, selected }: RowProps & { incident: Incident }) {
  return (
    <Row at={at} selected={selected} gone={gone} subject={incident.subject} onOpen={() => desk.setState({ selected: incident.subject, form: null, pane: "card" })}>
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
    </Row>
  );
}
