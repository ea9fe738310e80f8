import { ActionIcon, Button, CloseButton, Modal, NumberInput, Select, Textarea, TextInput } from "@mantine/core";
import { IconMinus, IconPlus, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { PlaceField } from "../console/PlaceField";
import { useAct } from "../console/useAct";
import { ago } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { addFacility, amendFacility, changeCapacity, closeFacility, dropCapacity, serviceOf, setCapacity, useFacilities, useFacility, useOrganizations } from "../lib/resources";
import { useMay, useSession } from "../lib/session";
import { HoldButton } from "../lib/ui/HoldButton";
import { FACILITY_KINDS, type Capacity, type Facility, type FacilityKind, type PlaceMatch } from "../lib/wire";
import { Field } from "./Field";
import { Photos } from "./Photos";
import "./resources.css";

const OLD = 12 * 3_600_000; // a count of this age is said to be old
/** What is usually counted in a facility of a kind. */
const USUAL: Partial<Record<FacilityKind, string>> = { hospital: "beds", clinic: "beds", shelter: "places" };

const useMayKeep = (facility: Facility): boolean => {
  const may = useMay("facility.update");
  const { person } = useSession();
  return may || (person.role === "agency" && facility.properties.organization_id === person.organization.id);
};

/** Bases, hospitals with their beds, shelters with their places, hydrants, cameras. */
export function Facilities() {
  const may = useMay("facility.update");
  const { data: all = [], error, isPending } = useFacilities();
  const [kind, setKind] = useState<string | null>(null);
  const [filter, setFilter] = useState("");
  const [selected, setSelected] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const wanted = filter.trim().toLowerCase();
  const shown = all
    .filter(({ properties }) => (!kind || properties.kind === kind) && `${properties.name} ${properties.address ?? ""}`.toLowerCase().includes(wanted))
    .sort((a, b) => FACILITY_KINDS.indexOf(a.properties.kind) - FACILITY_KINDS.indexOf(b.properties.kind) || a.properties.name.localeCompare(b.properties.name, "es", { numeric: true }));
  const facility = all.find(({ id }) => id === selected);
  return (
    <div className={facility ? "split split-open" : "split"}>
      <section className="split-list">
        <div className="book-tools">
          <TextInput size="sm" className="book-filter" placeholder={t("resources.facility.filter")} aria-label={t("resources.facility.filter")} value={filter} onChange={(event) => setFilter(event.currentTarget.value)} />
          <Select size="sm" clearable placeholder={t("resources.unit.anyKind")} aria-label={t("resources.facility.kindLabel")} data={FACILITY_KINDS.map((each) => ({ value: each, label: t(`resources.facility.kind.${each}`) }))} value={kind} onChange={setKind} />
          <span className="top-spacer" />
          {may && (
            <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
              {t("resources.facility.new")}
            </Button>
          )}
        </div>
        {error && <p className="form-failure">{t("resources.facility.failed")}</p>}
        {!isPending && !error && shown.length === 0 && <p className="book-empty">{all.length === 0 ? t("resources.facility.nobody") : t("resources.unit.noMatch")}</p>}
        {shown.length > 0 && (
          <table className="book book-rows">
            <thead>
              <tr>
                <th>{t("resources.facility.name")}</th>
                <th>{t("resources.facility.kindLabel")}</th>
                <th>{t("resources.facility.room")}</th>
                <th className="wide-only">{t("resources.facility.address")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.id} aria-selected={one.id === selected} onClick={() => setSelected(one.id)}>
                  <td>
                    <button type="button" className="row-button" onClick={() => setSelected(one.id)}>
                      {one.properties.name}
                    </button>
                    {one.properties.out_of_service && <span className="paper paper-out">{t("resources.facility.outShort")}</span>}
                  </td>
                  <td>{t(`resources.facility.kind.${one.properties.kind}`)}</td>
                  <td>
                    <Room capacities={one.properties.capacities} flow={one.properties.flow_l_min} />
                  </td>
                  <td className="wide-only">{one.properties.address}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {facility && <FacilitySheet key={facility.id} facility={facility} onClose={() => setSelected(null)} />}
      {adding && <NewFacility onClose={() => setAdding(false)} onMade={setSelected} />}
    </div>
  );
}

function Room({ capacities, flow }: { capacities: Capacity[]; flow: number | null }) {
  const now = useSecond();
  return (
    <span className="chips">
      {flow !== null && <span className="chip">{t("resources.facility.flow", { n: flow })}</span>}
      {capacities.map((one) => (
        <span key={one.kind} className={now - new Date(one.updated_at).getTime() > OLD ? "chip chip-old" : "chip"} title={t("resources.facility.counted", { age: ago(one.updated_at, now), by: one.updated_by })}>
          {one.kind} <strong>{one.free}</strong>
          {one.total !== null && `/${one.total}`} <small>{ago(one.updated_at, now)}</small>
        </span>
      ))}
    </span>
  );
}

function FacilitySheet({ facility, onClose }: { facility: Facility; onClose: () => void }) {
  const may = useMay("facility.update");
  const keeps = useMayKeep(facility);
  const { data } = useFacility(facility.id);
  const organizations = useOrganizations();
  const now = useSecond();
  const { properties } = facility;
  const [text, setText] = useState("");
  const [choice, setChoice] = useState<string | null>(null);
  const [match, setMatch] = useState<PlaceMatch | null>(null);
  const [flow, setFlow] = useState<number | string>("");
  const { busy, failure, act } = useAct();
  const field = { may: keeps };
  const out = properties.out_of_service;
  return (
    <aside className="sheet" aria-label={properties.name}>
      <header className="sheet-head">
        <div>
          <h2>{properties.name}</h2>
          <p>
            {t(`resources.facility.kind.${properties.kind}`)}
            {!properties.by_hand && ` · ${t("resources.facility.fromFile")}`}
          </p>
        </div>
        <CloseButton aria-label={t("resources.close")} onClick={onClose} />
      </header>
      {out && (
        <p className="sheet-note">
          <strong>{t("resources.facility.outSince", { age: ago(out.since, now) })}</strong> {out.reason}
        </p>
      )}
      {properties.kind !== "hydrant" && properties.kind !== "camera" && <Capacities facility={facility} may={keeps} />}
      <dl className="sheet-fields">
        <Field label={t("resources.facility.name")} {...field} onOpen={() => setText(properties.name)} onSave={() => amendFacility(facility, { name: text })} edit={() => <TextInput autoFocus maxLength={200} aria-label={t("resources.facility.name")} value={text} onChange={(event) => setText(event.currentTarget.value)} />}>
          {properties.name}
        </Field>
        <Field
          label={t("resources.facility.place")}
          {...field}
          onOpen={() => {
            setText(properties.address ?? "");
            setMatch(null);
          }}
          onSave={() => amendFacility(facility, { address: text.trim(), ...(match ? { location: { type: "Point", coordinates: [match.lon, match.lat] } } : {}) })}
          edit={() => (
            <PlaceField
              value={text}
              chosen={match}
              onWords={(words) => {
                setText(words);
                setMatch(null);
              }}
              onChoose={(chosen) => {
                setText(chosen.label);
                setMatch(chosen);
              }}
            />
          )}
        >
          {properties.address}
        </Field>
        {properties.kind === "hydrant" && (
          <Field label={t("resources.facility.flowLabel")} {...field} onOpen={() => setFlow(properties.flow_l_min ?? "")} onSave={() => amendFacility(facility, { flow_l_min: flow === "" ? null : Number(flow) })} edit={() => <NumberInput autoFocus min={0} max={100_000} hideControls aria-label={t("resources.facility.flowLabel")} value={flow} onChange={setFlow} />}>
            {properties.flow_l_min !== null && t("resources.facility.flow", { n: properties.flow_l_min })}
          </Field>
        )}
        <Field label={t("resources.facility.owner")} may={may} onOpen={() => setChoice(properties.organization_id)} onSave={() => amendFacility(facility, { organization_id: choice })} edit={() => <Select autoFocus searchable clearable aria-label={t("resources.facility.owner")} data={organizations.map(({ id, name }) => ({ value: id, label: name }))} value={choice} onChange={setChoice} />}>
          {organizations.find(({ id }) => id === properties.organization_id)?.name}
        </Field>
        <Field label={t("resources.unit.notes")} {...field} onOpen={() => setText(properties.note)} onSave={() => amendFacility(facility, { note: text })} edit={() => <Textarea autoFocus autosize minRows={2} maxLength={2000} aria-label={t("resources.unit.notes")} value={text} onChange={(event) => setText(event.currentTarget.value)} />}>
          {properties.note}
        </Field>
        <Field label={t("resources.facility.service")} {...field} onOpen={() => setText(out?.reason ?? "")} onSave={() => serviceOf(facility, text.trim() || null)} edit={() => <TextInput autoFocus maxLength={200} label={t("resources.facility.serviceHint")} value={text} onChange={(event) => setText(event.currentTarget.value)} />}>
          {t(out ? "resources.facility.outShort" : "resources.facility.works")}
        </Field>
      </dl>
      <section className="sheet-section">
        <h3>{t("resources.photo.title")}</h3>
        <Photos subject={`facility:${facility.id}`} photos={data?.photos ?? []} may={keeps} />
      </section>
      {may && (
        <section className="sheet-section">
          <HoldButton label={t("resources.facility.close")} disabled={busy} onHeld={() => void act(() => closeFacility(facility)).then((done) => done && onClose())} />
          {failure && (
            <p className="form-failure" role="alert">
              {failure}
            </p>
          )}
        </section>
      )}
    </aside>
  );
}

function Capacities({ facility, may }: { facility: Facility; may: boolean }) {
  const now = useSecond();
  const { busy, failure, act } = useAct();
  const { capacities, kind } = facility.properties;
  const [name, setName] = useState("");
  const [total, setTotal] = useState<number | string>("");
  const [free, setFree] = useState<number | string>("");
  const whole = (value: number | string) => (value === "" ? null : Number(value));
  const step = (one: Capacity, by: number) => void act(() => changeCapacity(facility.id, one.kind, by));
  const tell = () =>
    void act(() => setCapacity(facility.id, name.trim(), { total: whole(total), free: whole(free) ?? 0, note: "" })).then((done) => {
      if (!done) return;
      setName("");
      setTotal("");
      setFree("");
    });
  if (!may && capacities.length === 0) return null;
  return (
    <section className="sheet-section">
      <h3>{t(`resources.facility.counts.${USUAL[kind] ?? "other"}`)}</h3>
      <ul className="capacities">
        {capacities.map((one) => {
          const old = now - new Date(one.updated_at).getTime() > OLD;
          return (
            <li key={one.kind}>
              <span className="capacity-kind">{one.kind}</span>
              <span className="capacity-count">
                {may && (
                  <ActionIcon variant="default" disabled={one.free <= 0} aria-label={t("resources.facility.less", { kind: one.kind })} onClick={() => step(one, -1)}>
                    <IconMinus size={15} aria-hidden />
                  </ActionIcon>
                )}
                <strong aria-live="polite">{one.free}</strong>
                {may && (
                  <ActionIcon variant="default" disabled={one.total !== null && one.free >= one.total} aria-label={t("resources.facility.more", { kind: one.kind })} onClick={() => step(one, 1)}>
                    <IconPlus size={15} aria-hidden />
                  </ActionIcon>
                )}
              </span>
              <span className="capacity-total">{one.total === null ? t("resources.facility.noTotal") : t("resources.facility.ofTotal", { n: one.total })}</span>
              <small className={old ? "capacity-age capacity-old" : "capacity-age"}>
                {t("resources.facility.counted", { age: ago(one.updated_at, now), by: one.updated_by })}
                {old && ` ${t("resources.facility.old")}`}
              </small>
              {may && (
                <ActionIcon variant="subtle" aria-label={t("resources.facility.drop", { kind: one.kind })} onClick={() => void act(() => dropCapacity(facility.id, one.kind))}>
                  <IconTrash size={15} aria-hidden />
                </ActionIcon>
              )}
              {one.note && <small className="capacity-note">{one.note}</small>}
            </li>
          );
        })}
      </ul>
      {may && (
        <form
          className="sheet-line"
          onSubmit={(event) => {
            event.preventDefault();
            tell();
          }}
        >
          <TextInput size="xs" required maxLength={40} placeholder={t(`resources.facility.example.${USUAL[kind] ?? "other"}`)} aria-label={t("resources.facility.capacityKind")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <NumberInput size="xs" w={76} required min={0} max={100_000} hideControls placeholder={t("resources.facility.free")} aria-label={t("resources.facility.free")} value={free} onChange={setFree} />
          <NumberInput size="xs" w={76} min={0} max={100_000} hideControls placeholder={t("resources.facility.total")} aria-label={t("resources.facility.total")} value={total} onChange={setTotal} />
          <Button size="xs" type="submit" variant="default" loading={busy}>
            {t("resources.facility.tell")}
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

function NewFacility({ onClose, onMade }: { onClose: () => void; onMade: (id: string) => void }) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<string | null>("shelter");
  const [place, setPlace] = useState("");
  const [match, setMatch] = useState<PlaceMatch | null>(null);
  const { busy, failure, act, setFailure } = useAct();
  const add = () => {
    if (!match) {
      setFailure(t("resources.facility.needsPlace"));
      return;
    }
    void act(() => addFacility({ name, kind, address: place.trim(), location: { type: "Point", coordinates: [match.lon, match.lat] } })).then((made) => {
      if (!made) return;
      onMade(made.id);
      onClose();
    });
  };
  return (
    <Modal opened onClose={onClose} title={t("resources.facility.new")} closeButtonProps={{ "aria-label": t("resources.close") }}>
      <form
        className="sheet-grid"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextInput data-autofocus required maxLength={200} label={t("resources.facility.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Select required allowDeselect={false} label={t("resources.facility.kindLabel")} data={FACILITY_KINDS.map((each) => ({ value: each, label: t(`resources.facility.kind.${each}`) }))} value={kind} onChange={setKind} />
        <div className="wide">
          <PlaceField
            value={place}
            chosen={match}
            onWords={(words) => {
              setPlace(words);
              setMatch(null);
            }}
            onChoose={(chosen) => {
              setPlace(chosen.label);
              setMatch(chosen);
            }}
          />
        </div>
        <div className="sheet-buttons wide">
          <Button type="submit" loading={busy}>
            {t("resources.add")}
          </Button>
        </div>
        {failure && (
          <p className="form-failure wide" role="alert">
            {failure}
          </p>
        )}
      </form>
    </Modal>
  );
}
