import "./alarms.css";
import { Button } from "@mantine/core";
import { IconHeartbeat } from "@tabler/icons-react";
import { age } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { useMay, useSession } from "../lib/session";
import { say } from "../lib/toasts";
import { checkIn, checkInEverybody } from "../lib/verbs";
import type { Incident, LiveAssignment } from "../lib/wire";
import { useAct } from "./useAct";

/** By when each crew on scene must say that it is well; one press when it did, one for all of them. */
export function CheckIns({ incident }: { incident: Incident }) {
  const now = useSecond();
  const { person } = useSession();
  const mayReport = useMay("assignment.report");
  const mayAll = useMay("unit.dispatch");
  const { busy, failure, act } = useAct();
  const there = incident.assignments.filter(({ status, check_in_due_at }) => status === "on_scene" && check_in_due_at);
  const all = () => void act(() => checkInEverybody(incident.id)).then((done) => done !== null && say(t("checkIn.saidAll", { count: there.length })));
  useKey("e", all, mayAll && there.length > 0 && !busy);
  if (there.length === 0) return null;
  const one = ({ id, call_sign }: LiveAssignment) => void act(() => checkIn(id)).then((done) => done !== null && say(t("checkIn.said", { unit: call_sign })));
  return (
    <section className="card-section check-ins">
      <h3>
        {t("checkIn.title")}
        {mayAll && (
          <Button size="compact-sm" variant="default" loading={busy} leftSection={<IconHeartbeat size={14} />} onClick={all}>
            {t("checkIn.all")} <kbd>{"E"}</kbd>
          </Button>
        )}
      </h3>
      <ul>
        {there.map((assignment) => {
          const left = Date.parse(assignment.check_in_due_at ?? "") - now;
          return (
            <li key={assignment.id}>
              <strong>{assignment.call_sign}</strong>
              <span className={left < 0 ? "check-in-late" : undefined}>{left < 0 ? t("checkIn.late", { age: age(-left) }) : t("checkIn.due", { age: age(left) })}</span>
              {mayReport && (person.role !== "crew" || person.unit_id === assignment.unit_id) && (
                <Button size="compact-sm" variant="default" disabled={busy} aria-label={t("checkIn.wellOf", { unit: assignment.call_sign })} onClick={() => one(assignment)}>
                  {t("checkIn.well")}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </section>
  );
}
