import { age, running } from "../format";
import { t } from "../i18n";
import { useSecond } from "../live";
import { isOver, overdueBy } from "../queue";
import type { Incident } from "../wire";

/** Time running since something began. */
export function Since({ at, className }: { at: string; className?: string }) {
  const now = useSecond();
  return <span className={className ?? "timer"}>{running(now - Date.parse(at))}</span>;
}

/** The clock of an incident against its target: elapsed, a bar that fills, and "+3 min" in words when it is past. */
export function TargetTimer({ incident, big = false }: { incident: Incident; big?: boolean }) {
  const now = useSecond();
  const opened = Date.parse(incident.opened_at);
  const over = isOver(incident);
  const past = overdueBy(incident, now);
  const end = over && incident.closed_at ? Date.parse(incident.closed_at) : now;
  const late = past !== null && past > 0;
  const share = past === null || incident.due_at === null ? null : Math.min(1, (now - opened) / Math.max(1, Date.parse(incident.due_at) - opened));
  return (
    <span className={`target-timer${late ? " target-timer-late" : ""}${big ? " target-timer-big" : ""}`}>
      <span className="timer">{running(end - opened)}</span>
      {late && (
        <span className="late-by" title={t("incident.lateTitle")}>
          {t("incident.lateBy", { time: big ? running(past) : age(past) })}
        </span>
      )}
      {share !== null && (
        <span className="target-bar" aria-hidden>
          <span style={{ inlineSize: `${share * 100}%` }} />
        </span>
      )}
    </span>
  );
}
