/**
 * What our console is measured against: a console as many are written. Every position is React state, every unit is a component, and
 * each change gives the map all of them anew. When more than three messages come within a second and a half they are held and shown
 * together, as traccar-web's throttle does; `?throttle=no` shows each at once. Same server, feed, base map and number of rows as ours.
 */
import "maplibre-gl/dist/maplibre-gl.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Map as MapLibre, setWorkerUrl, type GeoJSONSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { memo, useEffect, useReducer, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { baseStyle } from "../src/lib/map/style";
import { token } from "../src/lib/theme";
import type { Frame, PositionTuple, Session, Unit } from "../src/lib/wire";

setWorkerUrl(workerUrl);

const MANY = 3;
const INTERVAL = 1_500;
const THROTTLED = new URLSearchParams(location.search).get("throttle") !== "no";

interface State {
  units: Record<string, Unit>;
  positions: Record<string, PositionTuple>;
}
type Message = { units: Unit[] } | { positions: PositionTuple[] };

function reduce(state: State, message: Message): State {
  if ("units" in message) return { ...state, units: { ...state.units, ...Object.fromEntries(message.units.map((unit) => [unit.id, unit])) } };
  return { ...state, positions: { ...state.positions, ...Object.fromEntries(message.positions.map((position) => [position[0], position])) } };
}

/** Let through, or held while too many come. */
function throttle(pass: (message: Message) => void): (message: Message) => void {
  let held: Message[] = [];
  let counted = 0;
  let holding = false;
  setInterval(() => {
    if (holding) {
      const flushed = held;
      held = [];
      holding = flushed.length >= MANY;
      flushed.forEach(pass);
    } else {
      holding = counted > MANY;
      counted = 0;
    }
  }, INTERVAL);
  return (message) => {
    if (holding) held.push(message);
    else {
      counted += 1;
      pass(message);
    }
  };
}

function listen(feed: string, pass: (message: Message) => void): void {
  const socket = new WebSocket(`ws://${location.host}${feed}`);
  const unitsOf = (features: { properties: { subject: string } }[]) => features.map(({ properties }) => properties).filter(({ subject }) => subject.startsWith("unit:")) as Unit[];
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", resume: null }));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data as string) as Frame;
    if (frame.type === "snapshot") {
      pass({ units: unitsOf(frame.features) });
      pass({ positions: frame.positions });
    } else if (frame.type === "positions") pass({ positions: frame.units });
    else if (frame.type === "line" && frame.feature) {
      const units = unitsOf([frame.feature]);
      if (units.length > 0) pass({ units });
    }
  };
}

type Marks = Map<string, GeoJSON.Feature<GeoJSON.Point>>;

/** One unit on the map. */
const Marker = memo(function Marker({ unit, position, marks }: { unit: Unit; position: PositionTuple; marks: Marks }) {
  useEffect(() => {
    marks.set(unit.id, { type: "Feature", geometry: { type: "Point", coordinates: [position[1], position[2]] }, properties: { label: unit.call_sign } });
    return () => void marks.delete(unit.id);
  }, [unit, position, marks]);
  return null;
});

function Rival({ session }: { session: Session }) {
  const [state, dispatch] = useReducer(reduce, { units: {}, positions: {} });
  const holder = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [marks] = useState<Marks>(() => new Map());
  const units = Object.values(state.units);

  useEffect(() => listen(session.feed, THROTTLED ? throttle(dispatch) : dispatch), [session]);
  useEffect(() => {
    if (!holder.current || !session.city.bounds) return;
    const made = new MapLibre({
      container: holder.current, style: baseStyle(token, `${location.origin}/api/v1/tiles/{z}/{x}/{y}.mvt`, { big: false, gray: false }),
      bounds: session.city.bounds, fitBoundsOptions: { padding: 24 }, attributionControl: false, fadeDuration: 0,
    });
    made.on("load", () => {
      made.addSource("units", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
      made.addLayer({ id: "units", type: "circle", source: "units", paint: { "circle-radius": 10, "circle-color": token("--u-libre") } });
      made.addLayer({ id: "labels", type: "symbol", source: "units", layout: { "text-field": ["get", "label"], "text-font": ["Noto Sans Regular"], "text-size": 12, "text-offset": [0, 1.4] }, paint: { "text-color": token("--tx") } });
      setMap(made);
    });
    return () => made.remove();
  }, [session]);
  useEffect(() => {
    (map?.getSource("units") as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features: [...marks.values()] });
  }, [map, marks, state]);

  const list = useVirtualizer({ count: units.length, getScrollElement: () => rows.current, estimateSize: () => 64 });
  return (
    <main style={{ display: "grid", gridTemplateColumns: "408px 1fr 496px", height: "100vh" }}>
      <div ref={rows} style={{ overflow: "auto" }}>
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map(({ index, start }) => {
            const unit = units[index];
            const position = unit && state.positions[unit.id];
            return (
              <div key={index} style={{ position: "absolute", top: start, height: 64 }}>
                {unit?.call_sign} {unit?.status} {position && new Date(position[5]).toISOString()}
              </div>
            );
          })}
        </div>
      </div>
      <div ref={holder} />
      {units.map((unit) => {
        const position = state.positions[unit.id];
        return position && <Marker key={unit.id} unit={unit} position={position} marks={marks} />;
      })}
    </main>
  );
}

const root = document.getElementById("rival");
if (root) void fetch("/api/v1/session").then(async (answer) => createRoot(root).render(<Rival session={(await answer.json()) as Session} />));
