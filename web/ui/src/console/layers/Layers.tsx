import "./layers.css";
import { ActionIcon, Button, Checkbox, CloseButton, Tooltip } from "@mantine/core";
import { IconClockHour4, IconRipple, IconRuler2, IconShape, IconStack2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { clock } from "../../lib/clock";
import { distance, hour } from "../../lib/format";
import { t } from "../../lib/i18n";
import { useKey } from "../../lib/keys";
import { coveredIn, drawCordon, lay, liftCordon, recallLayers, reachFrom, toggled, useCityLayers, useLaid, type Laid } from "../../lib/layers";
import { board, useBoard, useSecond } from "../../lib/live";
import { areaFeatures, facilityFeatures, named } from "../../lib/map/layers";
import { shownClock, useInPast } from "../../lib/moment";
import { useMay } from "../../lib/session";
import { lengthOf } from "../../lib/shapes";
import { say, sayFailed } from "../../lib/toasts";
import type { LonLat } from "../../lib/verbs";
import { FACILITY_KINDS, ZONE_KINDS, type Fence, type Incident, type Unit } from "../../lib/wire";
import { drawFlood } from "../ClosureForm";
import { openForm, stage, useDesk } from "../desk";
import { dropStroke, finishStroke, putCorner, takeCornerBack, takePen, usePen } from "../pen";

const COVERED_IN = 8;
const MINUTES = [3, 5, 8];
const AGAIN = 60_000;

const panel = createStore(() => ({ open: false }));
const toggle = (): void => panel.setState(({ open }) => ({ open: !open }));

/** `L`: what lies over the map, and what one measures or draws upon it. */
export function LayersButton() {
  const open = useStore(panel, (state) => state.open);
  useKey("l", toggle);
  return (
    <Tooltip label={`${t("layers.title")} (L)`} position="left">
      <ActionIcon variant="default" size={34} aria-label={t("layers.title")} aria-expanded={open} onClick={toggle}>
        <IconStack2 size={18} />
      </ActionIcon>
    </Tooltip>
  );
}

export function LayersPanel() {
  const open = useStore(panel, (state) => state.open);
  const first = useRef<HTMLElement>(null);
  const ready = useDesk((state) => state.mapReady);
  const drawing = usePen((state) => state.tool !== null);
  const close = () => panel.setState({ open: false });
  useKey("escape", close, open && !drawing);
  useEffect(recallLayers, []);
  useEffect(() => {
    if (open) first.current?.querySelector("input")?.focus();
  }, [open]);
  return (
    <>
      {ready && <OnTheMap />}
      {open && (
        <section ref={first} className="layers-panel" aria-label={t("layers.title")}>
          <header>
            <h2>{t("layers.title")}</h2>
            <CloseButton size="sm" aria-label={t("layers.close")} onClick={close} />
          </header>
          <Choices />
          <Tools />
        </section>
      )}
    </>
  );
}

function Choices() {
  const past = useInPast();
  const now = useLaid();
  const { facilities, zones } = useCityLayers();
  const many = <T extends string>(kinds: readonly T[], has: (kind: T) => number) => kinds.map((kind) => [kind, has(kind)] as const).filter(([, count]) => count > 0);
  const places = many(FACILITY_KINDS, (kind) => facilities.filter(({ properties }) => properties.kind === kind).length);
  const areas = many(ZONE_KINDS, (kind) => zones.filter(({ properties }) => properties.kind === kind).length);
  const simple: (keyof Pick<Laid, "closures" | "cordons" | "covered">)[] = ["closures", "cordons", "covered"];
  return (
    <>
      <fieldset className="layers-group">
        <legend>{t("layers.live")}</legend>
        {simple.map((name) => (
          <Checkbox key={name} size="xs" checked={now[name]} disabled={past && name === "covered"} description={past && name === "covered" ? t("replay.rests.present") : undefined} onChange={(event) => lay({ [name]: event.currentTarget.checked })} label={t(`layers.${name}`, { n: COVERED_IN })} />
        ))}
      </fieldset>
      {places.length > 0 && (
        <fieldset className="layers-group layers-pairs">
          <legend>{t("layers.places")}</legend>
          {places.map(([kind, count]) => (
            <Checkbox key={kind} size="xs" checked={now.facilities.includes(kind)} onChange={() => lay({ facilities: toggled(now.facilities, kind) })} label={t("layers.counted", { name: t(`resources.facility.kind.${kind}`), n: count })} />
          ))}
        </fieldset>
      )}
      {areas.length > 0 && (
        <fieldset className="layers-group layers-pairs">
          <legend>{t("layers.areas")}</legend>
          {areas.map(([kind, count]) => (
            <Checkbox key={kind} size="xs" checked={now.zones.includes(kind)} onChange={() => lay({ zones: toggled(now.zones, kind) })} label={t("layers.counted", { name: t(`zones.kind.${kind}`), n: count })} />
          ))}
        </fieldset>
      )}
    </>
  );
}

/** Fills the map's layers with what is chosen. Draws nothing itself. */
function OnTheMap() {
  const now = useLaid();
  const { facilities, zones } = useCityLayers();
  const revision = useBoard();
  const minute = Math.floor(useSecond() / AGAIN);
  const past = useInPast();
  const { data: cover } = useQuery({ queryKey: ["layers", "covered"], queryFn: () => coveredIn(COVERED_IN), enabled: now.covered && !past, refetchInterval: AGAIN, retry: false, placeholderData: (held) => held });
  useEffect(() => stage.map?.showClosures(now.closures), [now.closures]);
  useEffect(() => stage.map?.lay("facilities", facilityFeatures(facilities.filter(({ properties }) => now.facilities.includes(properties.kind)))), [facilities, now.facilities]);
  useEffect(() => {
    const areas = areaFeatures(zones, new Set(now.zones));
    stage.map?.lay("areas", areas);
    stage.map?.lay("area-names", named(areas));
  }, [zones, now.zones]);
  useEffect(() => {
    stage.map?.lay("covered", now.covered && cover && !past ? [{ type: "Feature", geometry: cover.covered.geometry, properties: {} }] : []);
  }, [now.covered, cover, past]);
  useEffect(() => {
    const standing = now.cordons ? cordons(shownClock.now()) : [];
    stage.map?.lay("cordons", standing.flatMap(({ shape, name }) => (shape ? [{ type: "Feature" as const, geometry: shape, properties: { label: name } }] : [])));
  }, [revision, minute, now.cordons]);
  return null;
}

/** Those that still count, as far as the board tells. */
const cordons = (now: number) => board.fences().filter(({ valid_until, shape }) => shape !== null && (valid_until === null || Date.parse(valid_until) > now));

function Tools() {
  const past = useInPast();
  useBoard();
  const selected = useDesk((state) => state.selected);
  const mayCordon = useMay("fence.draw");
  const mayClose = useMay("closure.draw");
  const [measured, setMeasured] = useState<LonLat[]>([]);
  const [reached, setReached] = useState<string | null>(null);
  const { tool, corners } = usePen((state) => state);
  const [using, setUsing] = useState<"measure" | "cordon" | null>(null);
  useKey("escape", () => {
    if (!dropStroke()) setUsing(null);
  }, tool !== null && using !== null);
  useKey("enter", finishStroke, tool !== null && using !== null);
  useKey("backspace", takeCornerBack, tool !== null && using !== null);
  useKey(" ", putCorner, tool !== null && using !== null);
  useEffect(
    () => () => {
      stage.map?.stopDrawing();
      for (const name of ["measure", "reach"] as const) stage.map?.lay(name, []);
    },
    [],
  );
  useEffect(() => {
    if (using === null && tool !== null) stage.map?.stopDrawing();
  }, [using, tool]);

  const line = tool === "line" && using === "measure" ? corners : measured;
  const incident = selected?.startsWith("incident:") ? board.get<Incident>(selected) : null;
  const measure = () => {
    stage.map?.lay("measure", []);
    setMeasured([]);
    setUsing("measure");
    takePen("line", (shape) => {
      setUsing(null);
      if (shape.type !== "LineString") return;
      setMeasured(shape.coordinates as LonLat[]);
      stage.map?.lay("measure", [{ type: "Feature", geometry: shape, properties: {} }]);
    });
  };
  const cordon = () => {
    if (!incident) return;
    setUsing("cordon");
    takePen("polygon", (shape) => {
      setUsing(null);
      if (shape.type !== "Polygon") return;
      drawCordon(t("layers.cordonName", { code: incident.code }), shape, clock.now()).then(() => {
        lay({ cordons: true });
        say(t("layers.cordonDrawn", { code: incident.code }));
      }, sayFailed);
    });
  };
  const reach = () => {
    const { at, kind, name } = origin(selected);
    if (!at) return;
    setReached(t("layers.reading"));
    reachFrom(at, kind, MINUTES).then(
      ({ features }) => {
        stage.map?.lay("reach", features.map((feature, i) => ({ ...feature, properties: { label: t("layers.minutes", { n: feature.properties.minutes }), width: 3 - i * 0.7 } })).reverse());
        setReached(t("layers.reached", { name, areas: features.map(({ properties }) => t("layers.area", { n: properties.minutes, km: properties.square_km.toFixed(1).replace(".", ",") })).join(" · ") }));
      },
      (failure: unknown) => {
        setReached(null);
        sayFailed(failure);
      },
    );
  };
  return (
    <>
      <div className="layers-tools">
        <Button size="compact-sm" variant="default" leftSection={<IconRuler2 size={15} />} aria-pressed={using === "measure"} onClick={measure}>
          {t("layers.measure")}
        </Button>
        <Button size="compact-sm" variant="default" leftSection={<IconClockHour4 size={15} />} disabled={past} title={past ? t("replay.rests.present") : undefined} onClick={reach}>
          {t("layers.reach")}
        </Button>
        {mayCordon && (
          <Button size="compact-sm" variant="default" leftSection={<IconShape size={15} />} disabled={!incident} title={incident ? undefined : t("layers.cordonNeeds")} aria-pressed={using === "cordon"} onClick={cordon}>
            {t("layers.drawCordon")}
          </Button>
        )}
        {mayClose && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconRipple size={15} />}
            onClick={() => {
              drawFlood();
              openForm("closure");
            }}
          >
            {t("layers.drawFlood")}
          </Button>
        )}
      </div>
      <p className="layers-said" role="status">
        {line.length > 1 ? t("layers.measured", { distance: distance(lengthOf(line)), count: line.length - 1 }) : reached}
      </p>
      <Cordons may={mayCordon} />
    </>
  );
}

/** From where and with what one would set out: what is selected, or the middle of the map. */
function origin(selected: string | null): { at: LonLat | null; kind: string | null; name: string } {
  if (selected?.startsWith("unit:")) {
    const unit = board.get<Unit>(selected);
    const position = unit && board.positions.get(unit.id);
    if (unit && position) return { at: [position.lon, position.lat], kind: unit.kind, name: unit.call_sign };
  }
  const found = selected ? board.get<Incident>(selected) : null;
  if (found?.at) return { at: found.at, kind: null, name: found.code ?? t("layers.there") };
  return { at: stage.map?.centre() ?? null, kind: null, name: t("layers.middle") };
}

function Cordons({ may }: { may: boolean }) {
  useBoard();
  const now = useSecond();
  const standing = cordons(now);
  if (standing.length === 0) return null;
  const lift = (fence: Fence) => void liftCordon(fence).then(() => say(t("layers.cordonLifted", { name: fence.name })), sayFailed);
  return (
    <ul className="layers-cordons" aria-label={t("layers.cordons")}>
      {standing.map((fence) => (
        <li key={fence.id}>
          <span>
            <strong>{fence.name}</strong> {fence.valid_until && t("layers.until", { hour: hour(fence.valid_until) })}
          </span>
          {may && (
            <Button size="compact-xs" variant="subtle" onClick={() => lift(fence)}>
              {t("layers.lift")}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
