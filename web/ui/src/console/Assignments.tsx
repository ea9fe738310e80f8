import { Button, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { hourSeconds, running } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { useMay, useSession } from "../lib/session";
import { say } from "../lib/toasts";
import { UnitPill } from "../lib/ui/UnitPill";
import { assignmentStatus } from "../lib/verbs";
import type { AssignmentStatus, Incident, LiveAssignment, UnitStatus } from "../lib/wire";
import { select } from "./desk";
import { useAct } from "./useAct";

/** What usually comes next, and what else may be heard on the radio. */
const NEXT: Partial<Record<AssignmentStatus, AssignmentStatus>> = {
  assigned: "acknowledged",
  acknowledged: "en_route",
  en_route: "on_scene",
  on_scene: "released",
  transporting: "at_destination",
  at_destination: "released",
};
const OTHERS: Partial<Record<AssignmentStatus, AssignmentStatus[]>> = {
  assigned: ["en_route", "on_scene", "refused", "cancelled"],
  acknowledged: ["on_scene", "released", "refused", "cancelled"],
  en_route: ["released", "cancelled"],
  on_scene: ["transporting"],
  transporting: ["released"],
  at_destination: [],
};

export function Assignments({ incident }: { incident: Incident }) {
  const now = useSecond();
  const may = useMay("assignment.report");
  const { busy, act, failure } = useAct();
  const unheard = incident.assignments.find(({ status }) => status === "assigned");
  useKey(
    "a",
    () => unheard && void act(() => assignmentStatus(unheard.id, "acknowledged")).then((done) => done !== null && say(t("assignment.said.acknowledged", { unit: unheard.call_sign }))),
    may && unheard !== undefined && !busy,
  );
  if (incident.assignments.length === 0) return null;
  return (
    <section className="card-section">
      <h3>{t("assignment.title")}</h3>
      <ul className="assignments">
        {incident.assignments.map((assignment) => (
          <li key={assignment.id}>
            <button type="button" className="assignment-unit" onClick={() => select(`unit:${assignment.unit_id}`)}>
              <UnitPill status={assignment.status as UnitStatus} waiting={assignment.status === "assigned"} />
              <strong>{assignment.call_sign}</strong>
            </button>
            <span className="assignment-status">
              {assignment.status === "assigned" ? t("assignment.sent", { hour: hourSeconds(assignment.since) }) : word("assignment.status", assignment.status)}
              <small>
                {assignment.status === "assigned"
                  ? t("assignment.noAck", { time: running(now - Date.parse(assignment.since)) })
                  : `${hourSeconds(assignment.since)} · ${running(now - Date.parse(assignment.since))}`}
              </small>
            </span>
            {may && <AssignmentButtons assignment={assignment} ackKey={assignment.id === unheard?.id} />}
          </li>
        ))}
      </ul>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </section>
  );
}

/** As heard by radio: the next step in one press, the others one level down. */
export function AssignmentButtons({ assignment, ackKey = false }: { assignment: LiveAssignment; ackKey?: boolean }) {
  const { person } = useSession();
  const { busy, failure, act } = useAct();
  const next = NEXT[assignment.status];
  const others = OTHERS[assignment.status] ?? [];
  if (person.role === "crew" && person.unit_id !== assignment.unit_id) return null;
  const go = (status: AssignmentStatus) =>
    void act(() => assignmentStatus(assignment.id, status, status === "refused" || status === "cancelled" ? t("assignment.byRadio") : undefined)).then(
      (done) => done !== null && say(t(`assignment.said.${status}`, { unit: assignment.call_sign })),
    );
  return (
    <span className="assignment-buttons">
      {next && (
        <Button size="compact-sm" variant="default" loading={busy} onClick={() => go(next)}>
          {t(`assignment.do.${next}`)} {ackKey && <kbd>{"A"}</kbd>}
        </Button>
      )}
      {others.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button size="compact-sm" variant="default" aria-label={t("assignment.others", { unit: assignment.call_sign })} disabled={busy}>
              <IconDots size={16} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((status) => (
              <Menu.Item key={status} onClick={() => go(status)}>
                {t(`assignment.do.${status}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {failure && (
        <span className="form-failure" role="alert">
          {failure}
        </span>
      )}
    </span>
  );
}
