import { Button, Drawer, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { t } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { say } from "../lib/toasts";
import { clockPoints, makePoint, renewPoint } from "../lib/verbs";
import type { ClockPoint } from "../lib/wire";
import { useEdition } from "./useStaff";

/** The codes that hang in units and bases, to be printed. */
export function Points({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  useBoard();
  const edition = useEdition("shifts");
  const { data } = useQuery({ queryKey: ["clock-points", edition], queryFn: clockPoints, enabled: opened });
  const [unit, setUnit] = useState<string | null>(null);
  const [where, setWhere] = useState("");
  const [renewed, setRenewed] = useState(0);
  const { busy, failure, act } = useAct();
  const points = [...(data ?? [])].sort((one, other) => one.where.localeCompare(other.where, "es", { numeric: true }));
  const taken = new Set(points.map(({ unit_id }) => unit_id));
  const units = board.units().filter(({ id }) => !taken.has(id)).sort((one, other) => one.call_sign.localeCompare(other.call_sign, "es", { numeric: true }));

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!unit && !where.trim()) return;
    await act(() => makePoint({ id: newId(), ...(unit ? { unit_id: unit } : { place: where.trim() }) }));
    setUnit(null);
    setWhere("");
  }
  const renew = (point: ClockPoint) =>
    act(async () => {
      await renewPoint(point.id);
      setRenewed(renewed + 1);
      say(t("shifts.points.renewed", { where: point.where }));
    });
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="lg" title={t("shifts.points.title")} closeButtonProps={{ "aria-label": t("shifts.close") }}>
      <p className="shifts-note">{t("shifts.points.how")}</p>
      <form className="sheet-row" onSubmit={(event) => void submit(event)}>
        <Select size="xs" searchable clearable label={t("shifts.unit")} data={units.map(({ id, call_sign }) => ({ value: id, label: call_sign }))} value={unit} onChange={setUnit} nothingFoundMessage={t("shifts.noUnit")} />
        <TextInput size="xs" label={t("shifts.orPlace")} disabled={unit !== null} value={where} onChange={(event) => setWhere(event.currentTarget.value)} maxLength={200} />
        <Button size="xs" type="submit" loading={busy}>
          {t("shifts.points.make")}
        </Button>
      </form>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <ul className="points">
        {points.map((point) => (
          <li key={point.id}>
            <img src={`/api/v1/attendance/points/${point.id}/qr.svg?${renewed}`} alt={t("shifts.points.code", { where: point.where })} width={168} height={168} />
            <strong>{point.where}</strong>
            <Button size="compact-xs" variant="default" disabled={busy} onClick={() => void renew(point)} aria-label={t("shifts.points.renewWho", { where: point.where })}>
              {t("shifts.points.renew")}
            </Button>
          </li>
        ))}
      </ul>
      {points.length > 0 && (
        <Button size="xs" variant="default" onClick={() => print()}>
          {t("shifts.print")}
        </Button>
      )}
    </Drawer>
  );
}
