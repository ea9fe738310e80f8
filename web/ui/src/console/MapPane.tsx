import { ActionIcon, Tooltip, VisuallyHidden } from "@mantine/core";
import { IconBarrierBlock, IconList, IconMap, IconMaximize, IconMinus, IconPalette, IconPaletteOff, IconPlus, IconPolygon } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { hourSeconds } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useLink, useSecond } from "../lib/live";
import { shownClock, useInPast } from "../lib/moment";
import { isOpen } from "../lib/queue";
import { LiveMap } from "../lib/map/LiveMap";
import { useBounds, useMay, useSession } from "../lib/session";
import { mapa, tema, toggleMapa } from "../lib/theme";
import { desk, newIncident, openForm, select, setPlace, stage, useDesk, wantsPlace } from "./desk";
import { LayersButton, LayersPanel } from "./layers/Layers";
import { MapList } from "./MapList";
import { usePen } from "./pen";
import { PastWatermark } from "./ReplayBar";

export function MapPane({ apart = false }: { apart?: boolean }) {
  const holder = useRef<HTMLDivElement>(null);
  const { city } = useSession();
  const bounds = useBounds();
  const mayOpen = useMay("incident.open");
  const [state, setState] = useState<"loading" | "rebuilding" | "ready" | "failed">("loading");
  const [round, setRound] = useState(0);
  const rebuilt = useRef(false);
  const [seen, setSeen] = useState("");
  const selected = useDesk((held) => held.selected);
  const place = useDesk((held) => held.place);
  const form = useDesk((held) => held.form);
  const list = useDesk((held) => held.list);
  const pane = useDesk((held) => held.pane);
  const dark = useStore(tema, (held) => held.tema);
  const gray = useStore(mapa, (held) => held.gris);
  const mayClose = useMay("closure.draw");
  const mayZone = useMay("zone.edit");
  const mayOpenNow = useRef(mayOpen);
  useEffect(() => {
    mayOpenNow.current = mayOpen;
  }, [mayOpen]);

  useEffect(() => {
    const container = holder.current;
    if (!container) return;
    let dropped = false;
    LiveMap.create({
      container,
      board,
      clock: shownClock,
      bounds,
      label: t("map.label"),
      onSelect: (subject) => (subject.startsWith("zone:") ? desk.setState({ zone: subject.slice(5), pane: "card" }) : select(subject)),
      picking: () => wantsPlace(desk.getState().form),
      onClick: (at) => (wantsPlace(desk.getState().form) ? setPlace(at) : undefined),
      onDoubleClick: (at) => {
        if (wantsPlace(desk.getState().form)) setPlace(at);
        else if (mayOpenNow.current) newIncident(at);
      },
      onLost: (lost) => {
        if (!lost) return setState("ready");
        // The graphics card let go: the map is built anew once; if that is not enough the table stands in for it.
        if (rebuilt.current) return setState("failed");
        rebuilt.current = true;
        setState("rebuilding");
        setRound((n) => n + 1);
      },
    }).then(
      (map) => {
        if (dropped) return map.destroy();
        stage.map = map;
        map.select(desk.getState().selected);
        map.mark(desk.getState().place);
        desk.setState({ mapReady: true });
        setState("ready");
      },
      () => !dropped && setState("failed"),
    );
    return () => {
      dropped = true;
      desk.setState({ mapReady: false });
      stage.map?.destroy();
      stage.map = null;
    };
  }, [bounds, round]);

  useEffect(() => stage.map?.select(selected), [selected, state]);
  useEffect(() => stage.map?.mark(place), [place, state]);
  const look = `${dark} ${gray}`;
  const painted = useRef(look);
  useEffect(() => {
    if (painted.current !== look) stage.map?.repaint();
    painted.current = look;
  }, [look]);
  useEffect(() => stage.map?.resize(), [pane, list]);
  // Panels are dragged and layouts change without the window doing so.
  useEffect(() => {
    const surface = holder.current;
    if (!surface) return;
    const watch = new ResizeObserver(() => stage.map?.resize());
    watch.observe(surface);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const subject = selected;
    if (!subject) return;
    const [kind, id = ""] = subject.split(":");
    const position = board.positions.get(id);
    const at = kind === "unit" ? (position ? ([position.lon, position.lat] as [number, number]) : null) : (board.get<object>(subject)?.at ?? null);
    if (at) stage.map?.goTo(at);
  }, [selected]);

  useKey("m", () => {
    desk.setState({ pane: "map", list: false });
    stage.map?.focus();
  });
  useKey("alt+m", () => {
    setSeen(whatIsSeen());
    desk.setState((held) => ({ list: !held.list, pane: "map" }));
  });
  useKey(" ", () => {
    const at = selected ? board.get<object>(selected)?.at : null;
    if (at) stage.map?.goTo(at);
  });

  const tools = [
    { label: t("map.zoomIn"), icon: <IconPlus size={18} />, act: () => stage.map?.zoom(1) },
    { label: t("map.zoomOut"), icon: <IconMinus size={18} />, act: () => stage.map?.zoom(-1) },
    { label: t("map.whole"), icon: <IconMaximize size={18} />, act: () => stage.map?.whole() },
    { label: t(gray ? "map.inColour" : "map.inGray"), icon: gray ? <IconPalette size={18} /> : <IconPaletteOff size={18} />, act: toggleMapa },
  ];
  const showList = list || state === "failed";
  return (
    <section className={`map-pane${wantsPlace(form) ? " map-pane-picking" : ""}`} aria-label={t("map.title")}>
      <div ref={holder} className="map-surface" />
      {(state === "loading" || state === "rebuilding") && (
        <p className="map-wait" role="status">
          {t(`map.${state}`)}
        </p>
      )}
      <VisuallyHidden role="status">{seen}</VisuallyHidden>
      <MapAge />
      {wantsPlace(form) && !showList && <p className="map-hint">{t(place ? "map.moveHint" : "map.pickHint")}</p>}
      {!showList && <PenHint />}
      {state === "failed" && (
        <div className="map-failed" role="alert">
          {t("map.failed")}
          <button
            type="button"
            onClick={() => {
              setState("loading");
              setRound((n) => n + 1);
            }}
          >
            {t("action.retry")}
          </button>
        </div>
      )}
      {showList && <MapList onClose={() => desk.setState({ list: false })} />}
      {!showList && <LayersPanel />}
      <div className="map-tools">
        <Tooltip label={t(list ? "map.asMap" : "map.asList")} position="left">
          <ActionIcon variant="default" size={34} aria-label={t(list ? "map.asMap" : "map.asList")} aria-pressed={list} onClick={() => desk.setState({ list: !list })}>
            {list ? <IconMap size={18} /> : <IconList size={18} />}
          </ActionIcon>
        </Tooltip>
        {!list &&
          tools.map(({ label, icon, act }, place) => (
            <Tooltip key={place} label={label} position="left">
              <ActionIcon variant="default" size={34} aria-label={label} onClick={act}>
                {icon}
              </ActionIcon>
            </Tooltip>
          ))}
        {!list && <LayersButton />}
        {!list && !apart && mayZone && (
          <Tooltip label={t("zones.title")} position="left">
            <ActionIcon variant="default" size={34} aria-label={t("zones.title")} aria-pressed={form === "zones"} onClick={() => openForm(form === "zones" ? null : "zones")}>
              <IconPolygon size={18} />
            </ActionIcon>
          </Tooltip>
        )}
        {!list && !apart && mayClose && (
          <Tooltip label={`${t("closure.newTitle")} (B)`} position="left">
            <ActionIcon variant="default" size={34} aria-label={t("closure.newTitle")} aria-pressed={form === "closure"} onClick={() => openForm(form === "closure" ? null : "closure")}>
              <IconBarrierBlock size={18} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <p className="map-credit">{city.attribution}</p>
    </section>
  );
}

/** How many of each are within what the map shows, in a sentence. */
function whatIsSeen(): string {
  const inView = (at: readonly [number, number] | null) => at !== null && (stage.map?.contains([at[0], at[1]]) ?? true);
  const incidents = board.incidents().filter((incident) => !incident.masked && isOpen(incident) && inView(incident.at)).length;
  const units = board.units().filter(({ id }) => {
    const position = board.positions.get(id);
    return position && inView([position.lon, position.lat]);
  }).length;
  return t("map.listTitle", { incidents: t("map.incidents", { count: incidents }), units: t("map.units", { count: units }) });
}

/** What the pen waits for; before corners are thrown away, the question. */
function PenHint() {
  const { tool, corners, asked } = usePen((held) => held);
  const aimed = useAim(tool !== null);
  if (!tool) return null;
  return (
    <>
      {aimed && <span className="map-aim" aria-hidden />}
      {asked ? (
        <p className="map-hint" role="alert">
          {t("pen.ask", { count: corners.length })}
        </p>
      ) : (
        <p className="map-hint" role="status">
          {t(`pen.${tool}${tool === "point" ? "" : corners.length === 0 ? "Begin" : "Go"}`)}
        </p>
      )}
    </>
  );
}

/** Whether the map is moved by keys under the pen; the stroke then reaches to its middle, until a pointer moves again. */
function useAim(drawing: boolean): boolean {
  const [aimed, setAimed] = useState(false);
  useEffect(() => {
    if (!drawing) return;
    const onKey = ({ key, target }: KeyboardEvent) => {
      if ((key.startsWith("Arrow") || key === " ") && target instanceof HTMLCanvasElement) setAimed(true);
    };
    const onPointer = () => setAimed(false);
    addEventListener("keydown", onKey);
    addEventListener("pointermove", onPointer);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("pointermove", onPointer);
      setAimed(false);
    };
  }, [drawing]);
  useEffect(() => (aimed ? stage.map?.onMoved(() => stage.map?.pen?.reach(stage.map.centre())) : undefined), [aimed]);
  return aimed;
}

/** The age of what the map shows; when the link is dead, its hour in large over a faded map. */
export function MapAge() {
  return useInPast() ? <PastAge /> : <PresentAge />;
}

/** At each shown second what counts by the clock is drawn again: at 64× a minute goes by in one of ours. */
function PastAge() {
  const at = useSecond();
  useEffect(() => stage.map?.again(), [at]);
  return <PastWatermark />;
}

function PresentAge() {
  const { name, age, heardAt } = useLink((state) => state);
  if (name === "offline" && heardAt !== null) return <p className="map-watermark">{t("map.dataFrom", { hour: hourSeconds(heardAt) })}</p>;
  if (age === null) return null;
  return <p className={`map-age${name === "late" ? " map-age-late" : ""}`}>{t("map.age", { n: age })}</p>;
}
