import { Button, Checkbox, Drawer, NumberInput, Select, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { t } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { say } from "../lib/toasts";
import { drawTemplate, endTemplate, shiftTemplates } from "../lib/verbs";
import type { Seat, ShiftTemplate } from "../lib/wire";
import { hoursOf, roleName, useEdition, useRules } from "./useStaff";

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;

/** The shifts that come again, and a form for another one. */
export function Templates({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const edition = useEdition("shifts");
  const { data } = useQuery({ queryKey: ["shift-templates", edition], queryFn: shiftTemplates, enabled: opened });
  const { data: rules } = useRules();
  const { busy, failure, act } = useAct();
  const end = (template: ShiftTemplate) =>
    act(async () => {
      await endTemplate(template);
      say(t("shifts.templates.ended", { name: template.name }));
    });
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="lg" title={t("shifts.templates.title")} closeButtonProps={{ "aria-label": t("shifts.close") }}>
      <ul className="sheet-list">
        {(data ?? []).map((one) => (
          <li key={one.id}>
            <span>
              <strong>{one.where}</strong> {one.name}
              <small>
                {t("shifts.templates.when", { starts: one.starts, hours: hoursOf(one.minutes * 60), days: one.weekdays.length === 7 ? t("shifts.templates.daily") : one.weekdays.map((day) => t(`shifts.weekday.${day}`)).join(" ") })}
              </small>
              <small>{one.seats.map((seat) => t("shifts.templates.seat", { ...seat, role: roleName(rules, seat.role).toLowerCase() })).join(" · ")}</small>
            </span>
            <Button size="compact-xs" variant="default" disabled={busy} onClick={() => void end(one)} aria-label={t("shifts.templates.endWho", { name: `${one.where} ${one.name}` })}>
              {t("shifts.templates.end")}
            </Button>
          </li>
        ))}
        {data?.length === 0 && <li>{t("shifts.templates.none")}</li>}
      </ul>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <NewTemplate />
    </Drawer>
  );
}

function NewTemplate() {
  useBoard();
  const { data: rules } = useRules();
  const units = board.units().sort((one, other) => one.call_sign.localeCompare(other.call_sign, "es", { numeric: true }));
  const [name, setName] = useState("");
  const [unit, setUnit] = useState<string | null>(null);
  const [where, setWhere] = useState("");
  const [days, setDays] = useState<number[]>([...DAYS]);
  const [starts, setStarts] = useState("06:00");
  const [hours, setHours] = useState<number | string>(8);
  const [seats, setSeats] = useState<Seat[]>([{ role: "chofer", min: 1, max: 1 }]);
  const { busy, failure, act } = useAct();
  const change = (which: number, to: Partial<Seat>) => setSeats(seats.map((seat, place) => (place === which ? { ...seat, ...to } : seat)));

  async function submit(event: FormEvent) {
    event.preventDefault();
    const made = { id: newId(), name, weekdays: days, starts, minutes: Math.round(Number(hours) * 60), seats, ...(unit ? { unit_id: unit } : { place: where }) };
    if (await act(() => drawTemplate(made))) {
      say(t("shifts.templates.drawn", { name }));
      setName("");
    }
  }
  return (
    <form className="sheet-form" onSubmit={(event) => void submit(event)}>
      <h3>{t("shifts.templates.new")}</h3>
      <TextInput required size="xs" label={t("shifts.templates.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={200} />
      <div className="sheet-row">
        <Select size="xs" searchable clearable label={t("shifts.unit")} data={units.map(({ id, call_sign }) => ({ value: id, label: call_sign }))} value={unit} onChange={setUnit} nothingFoundMessage={t("shifts.noUnit")} />
        <TextInput size="xs" label={t("shifts.orPlace")} disabled={unit !== null} required={unit === null} value={where} onChange={(event) => setWhere(event.currentTarget.value)} maxLength={200} />
      </div>
      <Checkbox.Group label={t("shifts.templates.days")} value={days.map(String)} onChange={(value) => setDays(value.map(Number).sort())} size="xs">
        <div className="sheet-days">
          {DAYS.map((day) => (
            <Checkbox key={day} size="xs" value={String(day)} label={t(`shifts.weekday.${day}`)} />
          ))}
        </div>
      </Checkbox.Group>
      <div className="sheet-row">
        <TextInput required size="xs" type="time" label={t("shifts.templates.starts")} value={starts} onChange={(event) => setStarts(event.currentTarget.value)} />
        <NumberInput required size="xs" label={t("shifts.templates.hours")} min={0.25} max={24} step={1} decimalSeparator="," value={hours} onChange={setHours} />
      </div>
      {seats.map((seat, which) => (
        <div key={which} className="sheet-row">
          <Select size="xs" label={t("shifts.role")} data={(rules?.roles ?? []).map(({ code, name: label }) => ({ value: code, label }))} value={seat.role} onChange={(role) => role && change(which, { role })} allowDeselect={false} />
          <NumberInput size="xs" label={t("shifts.templates.least")} min={0} max={50} value={seat.min} onChange={(value) => change(which, { min: Number(value), max: Math.max(seat.max, Number(value), 1) })} />
          <NumberInput size="xs" label={t("shifts.templates.most")} min={1} max={50} value={seat.max} onChange={(value) => change(which, { max: Number(value) })} />
          {seats.length > 1 && (
            <Button size="xs" variant="subtle" aria-label={t("shifts.templates.dropSeat")} onClick={() => setSeats(seats.filter((_, place) => place !== which))}>
              <IconX size={14} aria-hidden />
            </Button>
          )}
        </div>
      ))}
      <Button size="compact-xs" variant="subtle" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => setSeats([...seats, { role: rules?.roles.find(({ code }) => !seats.some(({ role }) => role === code))?.code ?? "", min: 1, max: 1 }])}>
        {t("shifts.templates.addSeat")}
      </Button>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <Button type="submit" size="xs" loading={busy} disabled={days.length === 0}>
        {t("shifts.templates.draw")}
      </Button>
    </form>
  );
}
