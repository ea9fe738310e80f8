import { Button, Select, TextInput } from "@mantine/core";
import { IconPencil, IconPlus, IconPolygon, IconUpload } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { newId, Refusal } from "../lib/api";
import { useDraft } from "../lib/drafts";
import { stamp } from "../lib/format";
import { LOCALE, t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { useSecond } from "../lib/live";
import { areaIn, areaOf, boxOf, cornersOf, polygonsOf } from "../lib/shapes";
import { matches } from "../lib/queue";
import { say } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import { TwoVersions } from "../lib/ui/TwoVersions";
import { amendZone, drawZone, endZone, zone as readZone, zones as readZones, type LonLat } from "../lib/verbs";
import { ZONE_KINDS, type Shape, type Zone, type ZoneKind } from "../lib/wire";
import { CardHead } from "./CardHead";
import { Chips } from "./ClosureForm";
import { desk, openForm, stage, useDesk } from "./desk";
import { dropStroke, finishStroke, putCorner, putPenDown, takeCornerBack, takePen, usePen } from "./pen";
import { useAct } from "./useAct";

const HANDLES = 400; // more corners than that nobody moves one by one
const SHOWN = 40;
const FILE_BYTES = 60_000; // what one request may carry

/** Zones for those who keep them: look, choose, rename, move the limits, end, draw a new one. */
export function Zones() {
  const queries = useQueryClient();
  const { data, isError, refetch } = useQuery({ queryKey: ["zones"], queryFn: readZones, staleTime: 15_000, refetchInterval: 30_000 });
  const all = useMemo(() => data?.features ?? [], [data]);
  const there = useMemo(() => ZONE_KINDS.filter((kind) => all.some(({ properties }) => properties.kind === kind)), [all]);
  const [kinds, setKinds] = useState<ZoneKind[] | null>(null);
  const [query, setQuery] = useState("");
  const [making, setMaking] = useState(false);
  const chosen = useDesk((state) => state.zone);
  const mapReady = useDesk((state) => state.mapReady);
  const shownKinds = kinds ?? there.slice(0, 1);
  const shown = useMemo(() => all.filter(({ properties }) => shownKinds.includes(properties.kind)), [all, shownKinds]);
  const selected = all.find(({ id }) => id === chosen) ?? null;

  useEffect(() => {
    if (mapReady) stage.map?.showZones(shown, chosen);
  }, [mapReady, shown, chosen]);
  useEffect(
    () => () => {
      stage.map?.showZones(null);
      desk.setState({ zone: null });
    },
    [],
  );
  useKey("escape", () => {
    if (dropStroke()) return;
    if (making) setMaking(false);
    else if (chosen) desk.setState({ zone: null });
    else openForm(null);
  });

  const refresh = () => void queries.invalidateQueries({ queryKey: ["zones"] });
  const choose = (id: string | null) => {
    desk.setState({ zone: id });
    const found = all.find((each) => each.id === id);
    if (found) stage.map?.frame(boxOf(found.geometry));
  };
  const found = shown.filter(({ properties }) => matches(query, properties.name, properties.desk)).sort((a, b) => a.properties.name.localeCompare(b.properties.name, "es", { numeric: true }));

  if (making)
    return (
      <NewZone
        onDone={(made) => {
          setMaking(false);
          setKinds([...new Set([...shownKinds, made.properties.kind])]);
          refresh();
          desk.setState({ zone: made.id });
        }}
        onBack={() => setMaking(false)}
      />
    );
  if (selected) return <OneZone key={selected.id} zone={selected} onChanged={refresh} onBack={() => choose(null)} />;
  return (
    <>
      <CardHead mark={<IconPolygon size={24} aria-hidden />} title={t("zones.title")} code={t("zones.hint")} onClose={() => openForm(null)} />
      <div className="card-form">
        <Chips legend={t("zones.layers")} all={ZONE_KINDS.filter((kind) => there.includes(kind) || shownKinds.includes(kind))} chosen={shownKinds} label={(kind) => t(`zones.kind.${kind}`)} onChoose={(kind) => setKinds(shownKinds.includes(kind) ? shownKinds.filter((each) => each !== kind) : [...shownKinds, kind])} />
        <div className="form-buttons">
          <Button size="sm" leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
            {t("zones.new")}
          </Button>
        </div>
        {isError && (
          <p className="form-failure" role="alert">
            {t("zones.failed")}{" "}
            <button type="button" className="link-button" onClick={() => void refetch()}>
              {t("action.retry")}
            </button>
          </p>
        )}
        <TextInput aria-label={t("zones.find")} placeholder={t("zones.find")} value={query} onChange={(event) => setQuery(event.currentTarget.value)} />
        <ul className="zone-list">
          {found.slice(0, SHOWN).map(({ id, properties }) => (
            <li key={id}>
              <button type="button" onClick={() => choose(id)}>
                <strong>{properties.name}</strong>
                <small>{[t(`zones.kind.${properties.kind}`), properties.desk].filter(Boolean).join(" · ")}</small>
              </button>
            </li>
          ))}
        </ul>
        {found.length > SHOWN && <p className="hint">{t("zones.more", { count: found.length - SHOWN })}</p>}
        {found.length === 0 && <p className="card-empty">{t("zones.none")}</p>}
      </div>
    </>
  );
}

type Field = "name" | "desk" | "shape";
interface Conflict {
  field: Field;
  mine: string | GeoJSON.MultiPolygon;
  theirs: Zone;
}

const FIELDS: Record<Field, string> = { name: "zones.name", desk: "zones.desk", shape: "zones.limits" };
const said = (value: string | GeoJSON.MultiPolygon | Shape | null): string => (typeof value === "string" ? value || "—" : value === null ? "—" : t("zones.corners", { count: cornersOf(value as Shape).length }));

function OneZone({ zone, onChanged, onBack }: { zone: Zone; onChanged: () => void; onBack: () => void }) {
  const now = useSecond();
  const { properties } = zone;
  const { busy, failure, act, setFailure } = useAct();
  const [name, setName] = useState<string | null>(null);
  const [desk_, setDesk] = useState<string | null>(null);
  const [moved, setMoved] = useState<GeoJSON.Polygon[] | null>(null);
  const [moving, setMoving] = useState(false);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  // What was read when the change began: somebody else's change meanwhile must not be overwritten unseen.
  const began = useRef<number | null>(null);
  const begin = () => (began.current ??= properties.version);

  const stopMoving = () => {
    stage.map?.stopDrawing();
    stage.map?.sketch(null);
    setMoving(false);
    setMoved(null);
  };
  // Esc leaves the limits as they were; not when a corner has been moved: that asks for one of the two buttons.
  useKey("escape", () => (moved ? setFailure(t("zones.unsaved")) : stopMoving()), moving);
  useEffect(() => {
    return () => {
      stage.map?.stopDrawing();
      stage.map?.sketch(null);
    };
  }, []);

  async function save(field: Field, value: string | GeoJSON.MultiPolygon, version = begin()) {
    const done = await act(async () => {
      try {
        return await amendZone(zone.id, version, field, value);
      } catch (error) {
        if (!(error instanceof Refusal && error.status === 412)) throw error;
        const theirs = await readZone(zone.id);
        if (typeof value !== "string") {
          stage.map?.stopDrawing();
          stage.map?.sketch(value);
        }
        setConflict({ field, mine: value, theirs });
        onChanged();
        return null;
      }
    });
    if (!done) return;
    began.current = null;
    setConflict(null);
    if (field === "name") setName(null);
    if (field === "desk") setDesk(null);
    if (field === "shape") stopMoving();
    onChanged();
    say(t("zones.saved", { name: done.properties.name }));
  }
  const takeTheirs = () => {
    began.current = null;
    setConflict(null);
    setName(null);
    setDesk(null);
    stopMoving();
    onChanged();
  };

  const move = () => {
    const polygons = polygonsOf(zone.geometry);
    if (polygons.some(({ coordinates }) => coordinates.length > 1)) return setFailure(t("zones.holes"));
    if (cornersOf(zone.geometry).length > HANDLES) return setFailure(t("zones.tooManyCorners", { n: HANDLES }));
    begin();
    setFailure(null);
    setMoved(null);
    void stage.map?.draw(polygons, { onChange: setMoved }).then(setMoving);
  };
  const end = () =>
    void act(() => endZone(zone.id, properties.version)).then((done) => {
      if (done === null) return;
      onChanged();
      onBack();
      say(t("zones.ended", { name: properties.name }));
    });

  return (
    <>
      <CardHead mark={<IconPolygon size={24} aria-hidden />} title={properties.name} code={t(`zones.kind.${properties.kind}`)} place={properties.desk ?? undefined} onClose={onBack} />
      {conflict && (
        <div className="card-section">
          <TwoVersions
            fields={[{ label: t(FIELDS[conflict.field]), theirs: said(conflict.field === "shape" ? conflict.theirs.geometry : conflict.theirs.properties[conflict.field]), mine: said(conflict.mine) }]}
            hint={conflict.field === "shape" ? t("zones.conflictMap") : undefined}
            busy={busy}
            onMine={() => void save(conflict.field, conflict.mine, conflict.theirs.properties.version)}
            onTheirs={takeTheirs}
          />
        </div>
      )}
      <dl className="facts">
        {properties.population !== null && (
          <>
            <dt>{t("zones.population")}</dt>
            <dd>{properties.population.toLocaleString(LOCALE)}</dd>
          </>
        )}
        <dt>{t("zones.version")}</dt>
        <dd>{properties.version}</dd>
        {properties.valid_until && (
          <>
            <dt>{t("zones.until")}</dt>
            <dd>{stamp(properties.valid_until, now)}</dd>
          </>
        )}
      </dl>
      <section className="card-section">
        <OneField label={t("zones.name")} value={name ?? properties.name} changed={name !== null && name.trim() !== "" && name.trim() !== properties.name} busy={busy} onChange={(words) => { begin(); setName(words); }} onSave={() => void save("name", (name ?? "").trim())} />
        <OneField label={t("zones.desk")} hint={t("zones.deskHint")} value={desk_ ?? properties.desk ?? ""} changed={desk_ !== null && desk_.trim() !== (properties.desk ?? "")} busy={busy} onChange={(words) => { begin(); setDesk(words); }} onSave={() => void save("desk", (desk_ ?? "").trim())} />
      </section>
      <section className="card-section">
        <h3>{t("zones.limits")}</h3>
        {moving ? (
          <>
            <p className="hint">{t("zones.movingHint")}</p>
            <div className="form-buttons">
              <Button size="sm" loading={busy} disabled={!moved} onClick={() => moved && void save("shape", areaOf(moved))}>
                {t("zones.saveLimits")}
              </Button>
              <Button size="sm" variant="subtle" color="gray" onClick={stopMoving}>
                {t("zones.leaveLimits")}
              </Button>
            </div>
          </>
        ) : (
          <div className="form-buttons">
            <Button size="sm" variant="default" leftSection={<IconPencil size={16} />} onClick={move}>
              {t("zones.move")}
            </Button>
            <FromFile onArea={(area) => void save("shape", area)} onFailure={setFailure} />
          </div>
        )}
      </section>
      {failure && (
        <p className="form-failure card-empty" role="alert">
          {failure}
        </p>
      )}
      <section className="card-section card-actions">
        <HoldButton label={t("zones.end")} disabled={busy} onHeld={end} />
      </section>
    </>
  );
}

function OneField({ label, hint, value, changed, busy, onChange, onSave }: { label: string; hint?: string; value: string; changed: boolean; busy: boolean; onChange: (words: string) => void; onSave: () => void }): ReactNode {
  return (
    <form
      className="new-note new-note-low"
      onSubmit={(event) => {
        event.preventDefault();
        if (changed) onSave();
      }}
    >
      <TextInput label={label} description={hint} value={value} maxLength={200} onChange={(event) => onChange(event.currentTarget.value)} />
      <Button type="submit" size="sm" variant="default" disabled={!changed} loading={busy}>
        {t("closure.save")}
      </Button>
    </form>
  );
}

function FromFile({ onArea, onFailure }: { onArea: (area: GeoJSON.MultiPolygon) => void; onFailure: (words: string | null) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    onFailure(null);
    if (!file) return;
    const area = areaIn(await file.text());
    if (!area) return onFailure(t("zones.badFile"));
    if (JSON.stringify(area).length > FILE_BYTES) return onFailure(t("zones.bigFile"));
    onArea(area);
  };
  return (
    <>
      <Button size="sm" variant="default" leftSection={<IconUpload size={16} />} onClick={() => input.current?.click()}>
        {t("zones.upload")}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t("zones.upload")}
        accept=".geojson,.json,application/geo+json,application/json"
        onChange={(event) => {
          const field = event.currentTarget;
          void read(field.files?.[0]).finally(() => (field.value = ""));
        }}
      />
    </>
  );
}

interface NewDraft {
  id: string;
  kind: ZoneKind;
  name: string;
  desk: string;
  shape: GeoJSON.MultiPolygon | null;
  /** Corners of a stroke that is not finished. */
  stroke?: LonLat[];
}

function NewZone({ onDone, onBack }: { onDone: (made: Zone) => void; onBack: () => void }) {
  const start = useMemo<NewDraft>(() => ({ id: newId(), kind: "barrio", name: "", desk: "", shape: null }), []);
  const [draft, change, discard] = useDraft<NewDraft>("zone", start);
  const { busy, failure, act, setFailure } = useAct();
  const { tool, corners } = usePen((state) => state);
  const mapReady = useDesk((state) => state.mapReady);
  const field = useRef<HTMLInputElement>(null);
  const latest = useRef(draft);
  useEffect(() => {
    latest.current = draft;
  });

  const setShape = (shape: Shape | null) => {
    const area = shape && areaOf(polygonsOf(shape));
    change({ shape: area, stroke: [] });
    stage.map?.sketch(area);
    if (area) {
      stage.map?.frame(boxOf(area));
      field.current?.focus();
    }
  };
  const begin = () => {
    setShape(null);
    takePen("polygon", setShape);
  };
  useEffect(() => {
    if (!mapReady) return;
    if (latest.current.shape) stage.map?.sketch(latest.current.shape);
    else takePen("polygon", setShape, latest.current.stroke);
    return () => {
      putPenDown();
      stage.map?.sketch(null);
    };
    // Once, when it opens over a map that is there.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [mapReady]);
  useKey("enter", finishStroke, tool !== null);
  useKey("backspace", takeCornerBack, tool !== null);
  useKey(" ", putCorner, tool !== null);
  useEffect(() => {
    if (tool !== null) change({ stroke: corners });
  }, [tool, corners, change]);

  async function submit() {
    if (!draft.shape) return setFailure(t(corners.length > 0 ? "closure.needsEnd" : "zones.needsShape"));
    if (!draft.name.trim()) {
      setFailure(t("zones.needsName"));
      return field.current?.focus();
    }
    const { id, kind, shape } = draft;
    const made = await act(() => drawZone({ id, kind, shape, name: draft.name.trim(), desk: draft.desk.trim() }));
    if (!made) return;
    discard();
    change({ id: newId() });
    say(t("zones.made", { name: made.properties.name }));
    onDone(made);
  }

  return (
    <>
      <CardHead mark={<IconPolygon size={24} aria-hidden />} title={t("zones.new")} code={t("zones.newHint")} onClose={onBack} />
      <form
        className="card-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p className="hint">{draft.shape ? t("zones.corners", { count: cornersOf(draft.shape).length }) : t("closure.draw.polygon")}</p>
        <div className="form-buttons">
          {draft.shape && (
            <Button size="sm" variant="default" leftSection={<IconPencil size={16} />} onClick={begin}>
              {t("closure.again")}
            </Button>
          )}
          <FromFile
            onArea={(area) => {
              putPenDown();
              setShape(area);
            }}
            onFailure={setFailure}
          />
        </div>
        <Select label={t("zones.kindLabel")} data={ZONE_KINDS.map((kind) => ({ value: kind, label: t(`zones.kind.${kind}`) }))} value={draft.kind} allowDeselect={false} onChange={(kind) => kind && change({ kind: kind as ZoneKind })} />
        <TextInput ref={field} label={t("zones.name")} value={draft.name} maxLength={200} onChange={(event) => change({ name: event.currentTarget.value })} />
        <TextInput label={t("zones.desk")} description={t("zones.deskHint")} value={draft.desk} maxLength={200} onChange={(event) => change({ desk: event.currentTarget.value })} />
        {failure && (
          <p className="form-failure" role="alert">
            {failure}
          </p>
        )}
        <div className="form-buttons">
          <Button type="submit" loading={busy}>
            {t("zones.create")}
          </Button>
          <Button variant="subtle" color="gray" onClick={onBack}>
            {t("action.leaveForLater")} <kbd>{"Esc"}</kbd>
          </Button>
        </div>
      </form>
    </>
  );
}
