import { ActionIcon, Button, CloseButton, MultiSelect, NumberInput, Select, Textarea, TextInput } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "../console/useAct";
import type { Placed } from "../lib/board";
import { ago } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useSecond } from "../lib/live";
import {
  addPiece, addVehicle, amendPiece, amendUnit, amendVehicle, postVehicle, removePiece, retireUnit, useCapabilities, useCrews, useFacilities, useOrganizations, useSheet, useVehicles, useZoneNames,
} from "../lib/resources";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import { UnitPill } from "../lib/ui/UnitPill";
import { EQUIPMENT_STATES, type Piece, type Unit, type Vehicle } from "../lib/wire";
import { Field } from "./Field";
import { dayOf, Papers } from "./papers";
import { Photos } from "./Photos";
import { KINDS } from "./kinds";

/** All of a unit, each field by itself. */
export function UnitSheet({ unit, onClose }: { unit: Placed<Unit>; onClose: () => void }) {
  const may = useMay("unit.manage");
  const now = useSecond();
  const { data: sheet, error } = useSheet(unit.id);
  const crew = useCrews().get(unit.id);
  return (
    <aside className="sheet" aria-label={unit.call_sign}>
      <header className="sheet-head">
        <UnitPill status={unit.status} />
        <div>
          <h2>{unit.call_sign}</h2>
          <p>
            {word("unit", unit.status)} · {ago(unit.status_since, now)}
          </p>
        </div>
        <CloseButton aria-label={t("resources.close")} onClick={onClose} />
      </header>
      <Fields unit={unit} may={may} />
      {crew && crew.people.length > 0 && (
        <section className="sheet-section">
          <h3>{t("resources.unit.crew")}</h3>
          <p>{crew.people.map(({ name, role }) => `${name} (${role})`).join(", ")}</p>
        </section>
      )}
      {error && <p className="form-failure">{t("resources.sheetFailed")}</p>}
      {sheet && (
        <>
          <VehicleSection unit={unit} vehicle={sheet.vehicle} may={may} history={sheet.vehicles} />
          <Equipment unit={unit} pieces={sheet.equipment} may={may} />
          <section className="sheet-section">
            <h3>{t("resources.photo.title")}</h3>
            <Photos subject={`unit:${unit.id}`} photos={sheet.photos} may={may} />
          </section>
        </>
      )}
      {may && <Retire unit={unit} onDone={onClose} />}
    </aside>
  );
}

function Fields({ unit, may }: { unit: Placed<Unit>; may: boolean }) {
  const organizations = useOrganizations();
  const zones = useZoneNames();
  const { data: facilities = [] } = useFacilities();
  const known = useCapabilities();
  const [text, setText] = useState("");
  const [choice, setChoice] = useState<string | null>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const [amounts, setAmounts] = useState<Record<string, number | string>>({});
  const named = new Map(known.map((one) => [one.code, one]));
  const said = unit.capabilities.map((code) => {
    const measure = named.get(code)?.measure;
    return unit.amounts[code] === undefined ? code : `${code} ${unit.amounts[code]} ${measure ?? ""}`.trim();
  });
  const stands = facilities.filter(({ properties: { kind } }) => kind !== "hydrant" && kind !== "camera");
  const kindsOf = KINDS.map((kind) => ({ value: kind, label: word("kind", kind) }));
  return (
    <dl className="sheet-fields">
      <Field label={t("resources.unit.callSign")} may={may} onOpen={() => setText(unit.call_sign)} onSave={() => amendUnit(unit, "call-sign", { call_sign: text })} edit={() => <TextInput autoFocus aria-label={t("resources.unit.callSign")} maxLength={20} value={text} onChange={(event) => setText(event.currentTarget.value)} />}>
        {unit.call_sign}
      </Field>
      <Field label={t("resources.unit.kind")} may={may} onOpen={() => setChoice(unit.kind)} onSave={() => amendUnit(unit, "kind", { kind: choice })} edit={() => <Select autoFocus allowDeselect={false} aria-label={t("resources.unit.kind")} data={kindsOf} value={choice} onChange={setChoice} />}>
        {word("kind", unit.kind)}
      </Field>
      <Field
        label={t("resources.unit.capabilities")}
        may={may}
        onOpen={() => {
          setCodes(unit.capabilities);
          setAmounts(unit.amounts);
        }}
        onSave={() => amendUnit(unit, "capabilities", { capabilities: codes, amounts: Object.fromEntries(codes.filter((code) => Number(amounts[code]) > 0).map((code) => [code, Number(amounts[code])])) })}
        edit={() => (
          <>
            <MultiSelect
              autoFocus
              searchable
              aria-label={t("resources.unit.capabilities")}
              data={known.filter(({ code, retired_at }) => !retired_at || unit.capabilities.includes(code)).map(({ code, name }) => ({ value: code, label: `${code} · ${name}` }))}
              value={codes}
              onChange={setCodes}
            />
            {codes
              .filter((code) => named.get(code)?.measure)
              .map((code) => (
                <NumberInput key={code} size="xs" min={0} max={1_000_000} hideControls decimalSeparator="," label={t("resources.unit.amount", { code, measure: named.get(code)?.measure ?? "" })} value={amounts[code] ?? ""} onChange={(value) => setAmounts({ ...amounts, [code]: value })} />
              ))}
          </>
        )}
      >
        {said.length > 0 && (
          <span className="chips">
            {said.map((one) => (
              <span key={one} className="chip" title={named.get(one.split(" ")[0] ?? "")?.name}>
                {one}
              </span>
            ))}
          </span>
        )}
      </Field>
      <Field
        label={t("resources.unit.base")}
        may={may}
        onOpen={() => {
          setText(unit.base ?? "");
          setChoice(unit.base_id);
        }}
        onSave={() => amendUnit(unit, "base", choice ? { base_id: choice, base: text.trim() } : { base: text.trim() })}
        edit={() => (
          <>
            <Select
              autoFocus
              searchable
              clearable
              label={t("resources.unit.baseFacility")}
              data={stands.map(({ id, properties }) => ({ value: id, label: `${properties.name} · ${t(`resources.facility.kind.${properties.kind}`)}` }))}
              value={choice}
              onChange={(id) => {
                setChoice(id);
                setText(stands.find((one) => one.id === id)?.properties.name ?? text);
              }}
            />
            <TextInput label={t("resources.unit.baseWords")} maxLength={200} value={text} onChange={(event) => setText(event.currentTarget.value)} />
          </>
        )}
      >
        {unit.base}
      </Field>
      <Field label={t("resources.unit.homeZone")} may={may} onOpen={() => setChoice(unit.home_zone_id)} onSave={() => amendUnit(unit, "home-zone", { home_zone_id: choice })} edit={() => <Select autoFocus searchable clearable aria-label={t("resources.unit.homeZone")} data={zones.map(({ id, name, kind }) => ({ value: id, label: `${name} · ${t(`zones.kind.${kind}`)}` }))} value={choice} onChange={setChoice} />}>
        {unit.home_zone}
      </Field>
      <Field label={t("resources.unit.organization")} may={may} onOpen={() => setChoice(unit.organization_id)} onSave={() => amendUnit(unit, "organization", { organization_id: choice })} edit={() => <Select autoFocus searchable allowDeselect={false} aria-label={t("resources.unit.organization")} data={organizations.map(({ id, name }) => ({ value: id, label: name }))} value={choice} onChange={setChoice} />}>
        {unit.organization}
      </Field>
      {unit.notes !== null && (
        <Field label={t("resources.unit.notes")} may={may} onOpen={() => setText(unit.notes ?? "")} onSave={() => amendUnit(unit, "notes", { notes: text })} edit={() => <Textarea autoFocus autosize minRows={2} maxLength={2000} aria-label={t("resources.unit.notes")} value={text} onChange={(event) => setText(event.currentTarget.value)} />}>
          {unit.notes}
        </Field>
      )}
    </dl>
  );
}

const EMPTY = { plate: "", make: "", model: "", year: "", inspection_until: "", insurance_until: "", notes: "" };
type Papers = typeof EMPTY;
const papersOf = (vehicle: Vehicle): Papers => ({ ...vehicle, year: vehicle.year ? String(vehicle.year) : "", inspection_until: vehicle.inspection_until ?? "", insurance_until: vehicle.insurance_until ?? "" });
const sent = ({ plate, make, model, year, inspection_until, insurance_until, notes }: Papers) => ({
  plate: plate.replace(/[\s.-]/g, "").toUpperCase(), make, model, notes, year: year ? Number(year) : null, inspection_until: inspection_until || null, insurance_until: insurance_until || null,
});

function VehicleSection({ unit, vehicle, may, history }: { unit: Unit; vehicle: Vehicle | null; may: boolean; history: { plate: string; since: string; until: string | null }[] }) {
  const [form, setForm] = useState<Papers | null>(null);
  const others = useVehicles(may).filter(({ id }) => id !== vehicle?.id);
  const { busy, failure, act } = useAct();
  const now = useSecond();
  const put = (name: keyof Papers) => ({ currentTarget: { value } }: { currentTarget: { value: string } }) => setForm((held) => held && { ...held, [name]: value });
  const save = () => {
    if (!form) return;
    const said = sent(form);
    void act(() => (vehicle ? amendVehicle(vehicle, said) : addVehicle({ ...said, unit_id: unit.id }))).then((done) => done && setForm(null));
  };
  return (
    <section className="sheet-section">
      <h3>{t("resources.vehicle.title")}</h3>
      {form ? (
        <form
          className="sheet-grid"
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <TextInput autoFocus required label={t("resources.vehicle.plate")} maxLength={16} value={form.plate} onChange={put("plate")} />
          <TextInput label={t("resources.vehicle.make")} maxLength={60} value={form.make} onChange={put("make")} />
          <TextInput label={t("resources.vehicle.model")} maxLength={60} value={form.model} onChange={put("model")} />
          <TextInput label={t("resources.vehicle.year")} inputMode="numeric" pattern="\d{4}" maxLength={4} value={form.year} onChange={put("year")} />
          <TextInput type="date" label={t("resources.vehicle.inspection")} value={form.inspection_until} onChange={put("inspection_until")} />
          <TextInput type="date" label={t("resources.vehicle.insurance")} value={form.insurance_until} onChange={put("insurance_until")} />
          <Textarea className="wide" autosize label={t("resources.unit.notes")} maxLength={2000} value={form.notes} onChange={put("notes")} />
          <div className="sheet-buttons wide">
            <Button size="xs" type="submit" loading={busy}>
              {t("resources.save")}
            </Button>
            <Button size="xs" variant="subtle" onClick={() => setForm(null)}>
              {t("resources.cancel")}
            </Button>
          </div>
        </form>
      ) : vehicle ? (
        <>
          <p>
            <strong>{vehicle.plate}</strong> {[vehicle.make, vehicle.model, vehicle.year].filter(Boolean).join(" ")}
          </p>
          <p className="papers-line">
            {vehicle.inspection_until && <span>{t("resources.vehicle.inspectionUntil", { day: dayOf(vehicle.inspection_until) })}</span>}
            {vehicle.insurance_until && <span>{t("resources.vehicle.insuranceUntil", { day: dayOf(vehicle.insurance_until) })}</span>}
            <Papers gaps={vehicle.gaps} />
          </p>
          {vehicle.notes && <p className="sheet-note">{vehicle.notes}</p>}
        </>
      ) : (
        <p className="hint">{t("resources.vehicle.none")}</p>
      )}
      {may && !form && (
        <div className="sheet-buttons">
          <Button size="xs" variant="default" onClick={() => setForm(vehicle ? papersOf(vehicle) : EMPTY)}>
            {vehicle ? t("resources.vehicle.edit") : t("resources.vehicle.new")}
          </Button>
          {others.length > 0 && (
            <Select
              size="xs"
              searchable
              placeholder={t("resources.vehicle.other")}
              aria-label={t("resources.vehicle.other")}
              data={others.map((one) => ({ value: one.id, label: [one.plate, one.make, one.model].filter(Boolean).join(" ") }))}
              value={null}
              onChange={(id) => id && void act(() => postVehicle(id, unit.id))}
            />
          )}
          {vehicle && (
            <Button size="xs" variant="subtle" loading={busy} onClick={() => void act(() => postVehicle(vehicle.id, null))}>
              {t("resources.vehicle.take")}
            </Button>
          )}
        </div>
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      {history.length > 1 && (
        <details>
          <summary>{t("resources.vehicle.history")}</summary>
          <ul className="history">
            {history.map((one) => (
              <li key={one.since}>
                {one.plate} · {ago(one.since, now)} {one.until && `– ${ago(one.until, now)}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Equipment({ unit, pieces, may }: { unit: Unit; pieces: Piece[]; may: boolean }) {
  const [name, setName] = useState("");
  const [quantity, setQuantity] = useState<number | string>(1);
  const [until, setUntil] = useState("");
  const [serial, setSerial] = useState("");
  const { busy, failure, act } = useAct();
  const today = new Date().toISOString().slice(0, 10);
  const add = () =>
    void act(() => addPiece(unit.id, { name, quantity: Number(quantity) || 1, serial, valid_until: until || null })).then((done) => {
      if (!done) return;
      setName("");
      setQuantity(1);
      setUntil("");
      setSerial("");
    });
  return (
    <section className="sheet-section">
      <h3>
        {t("resources.equipment.title")} <small>{pieces.length || ""}</small>
      </h3>
      {pieces.length > 0 && (
        <table className="book">
          <tbody>
            {pieces.map((piece) => (
              <tr key={piece.id}>
                <td className="number">{piece.quantity}</td>
                <td>
                  {piece.name} {piece.serial && <small>{piece.serial}</small>}
                  {piece.valid_until && (
                    <small className={piece.valid_until < today ? "paper paper-out" : undefined}> {t("resources.equipment.until", { day: dayOf(piece.valid_until) })}</small>
                  )}
                </td>
                <td>
                  {may ? (
                    <Select
                      size="xs"
                      allowDeselect={false}
                      aria-label={t("resources.equipment.stateOf", { what: piece.name })}
                      data={EQUIPMENT_STATES.map((state) => ({ value: state, label: t(`resources.equipment.state.${state}`) }))}
                      value={piece.state}
                      onChange={(state) => state && void act(() => amendPiece(piece, { state }))}
                    />
                  ) : (
                    t(`resources.equipment.state.${piece.state}`)
                  )}
                </td>
                {may && (
                  <td>
                    <ActionIcon variant="subtle" aria-label={t("resources.equipment.remove", { what: piece.name })} onClick={() => void act(() => removePiece(piece))}>
                      <IconTrash size={15} aria-hidden />
                    </ActionIcon>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {pieces.length === 0 && <p className="hint">{t("resources.equipment.none")}</p>}
      {may && (
        <form
          className="sheet-line"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <NumberInput size="xs" min={1} max={100_000} hideControls w={56} aria-label={t("resources.equipment.quantity")} value={quantity} onChange={setQuantity} />
          <TextInput size="xs" required maxLength={200} placeholder={t("resources.equipment.name")} aria-label={t("resources.equipment.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput size="xs" maxLength={200} placeholder={t("resources.equipment.serial")} aria-label={t("resources.equipment.serial")} value={serial} onChange={(event) => setSerial(event.currentTarget.value)} />
          <TextInput size="xs" type="date" aria-label={t("resources.equipment.validUntil")} title={t("resources.equipment.validUntil")} value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
          <Button size="xs" type="submit" variant="default" loading={busy}>
            {t("resources.add")}
          </Button>
        </form>
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </section>
  );
}

function Retire({ unit, onDone }: { unit: Unit; onDone: () => void }) {
  const { busy, failure, act } = useAct();
  const retire = () =>
    void act(() => retireUnit(unit)).then((done) => {
      if (!done) return;
      say(t("resources.unit.retired", { unit: unit.call_sign }));
      onDone();
    });
  return (
    <section className="sheet-section">
      <HoldButton label={t("resources.unit.retire")} disabled={busy} onHeld={retire} />
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </section>
  );
}
