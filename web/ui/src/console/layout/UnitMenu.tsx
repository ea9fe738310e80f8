import { Menu } from "@mantine/core";
import { useEffect, useState } from "react";
import { t, word } from "../../lib/i18n";
import { board, useKinds } from "../../lib/live";
import { useMay } from "../../lib/session";
import { say, sayFailed, undoOf } from "../../lib/toasts";
import { assignmentStatus, duty } from "../../lib/verbs";
import type { AssignmentStatus, Unit } from "../../lib/wire";
import { HEARD } from "../Assignments";
import { select } from "../desk";

const DUTIES = ["on_duty", "break", "out_of_service"] as const;

/**
 * What was heard over the radio, by a right click (or the menu key) on a unit wherever it is shown. Everything in it has its button on the
 * unit's card.
 */
export function UnitMenu() {
  useKinds("unit");
  const mayReport = useMay("assignment.report");
  const mayManage = useMay("unit.manage");
  const [open, setOpen] = useState<{ id: string; x: number; y: number; from: HTMLElement } | null>(null);
  useEffect(() => {
    if (!mayReport && !mayManage) return;
    const onMenu = (event: MouseEvent) => {
      const from = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-unit]") : null;
      if (!from?.dataset.unit) return;
      event.preventDefault();
      const { left, bottom } = from.getBoundingClientRect();
      const byKey = event.clientX === 0 && event.clientY === 0;
      setOpen({ id: from.dataset.unit, x: byKey ? left : event.clientX, y: byKey ? bottom : event.clientY, from });
    };
    document.addEventListener("contextmenu", onMenu);
    return () => document.removeEventListener("contextmenu", onMenu);
  }, [mayReport, mayManage]);
  const unit = open && board.get<Unit>(`unit:${open.id}`);
  if (!open || !unit) return null;
  const close = () => {
    setOpen(null);
    open.from.focus();
  };
  const job = unit.assignment_id;
  const heard = (status: AssignmentStatus) =>
    job && void assignmentStatus(job, status).then((done) => say(t(`assignment.said.${status}`, { unit: unit.call_sign }), undoOf(done)), sayFailed);
  const to = (next: (typeof DUTIES)[number]) => void duty(unit.id, next).then((done) => say(t(`units.now.${next}`, { unit: unit.call_sign }), undoOf(done)), sayFailed);
  return (
    <Menu opened onClose={close} position="bottom-start" width={220} returnFocus trapFocus>
      <Menu.Target>
        <span className="unit-menu-at" style={{ left: open.x, top: open.y }} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{`${unit.call_sign} · ${word("unit", unit.status)}`}</Menu.Label>
        {job && mayReport && HEARD(unit.status as AssignmentStatus).map((status) => (
          <Menu.Item key={status} onClick={() => heard(status)}>
            {t(`assignment.do.${status}`)}
          </Menu.Item>
        ))}
        {!job &&
          mayManage &&
          DUTIES.filter((next) => next !== (unit.status === "available" ? "on_duty" : unit.status)).map((next) => (
            <Menu.Item key={next} onClick={() => to(next)}>
              {t(`units.to.${next}`)}
            </Menu.Item>
          ))}
        <Menu.Divider />
        <Menu.Item onClick={() => select(unit.subject)}>{t("units.card")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
