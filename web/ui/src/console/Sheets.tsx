import { lazy, Suspense, useEffect, useState, type ComponentType, type ReactNode } from "react";
import { useKey } from "../lib/keys";
import { useInPast } from "../lib/moment";
import { useMay } from "../lib/session";
import { Fence } from "../lib/ui/Fence";
import { desk, useDesk, type Sheet } from "./desk";

/** What lies over the desk now and then comes after the desk itself: nobody waits for it before the first call can be taken. */
const COMES: Partial<Record<Sheet | "major", () => Promise<{ default: ComponentType }>>> = {
  alarmReport: () => import("./AlarmReport").then(({ AlarmReport: sheet }) => ({ default: sheet })),
  handover: () => import("./handover/HandoverSheet").then(({ HandoverSheet: sheet }) => ({ default: sheet })),
  preferences: () => import("./Preferences").then(({ Preferences: sheet }) => ({ default: sheet })),
  walls: () => import("./WallControl").then(({ WallControl: sheet }) => ({ default: sheet })),
  major: () => import("./MajorBoard").then(({ MajorBoard: sheet }) => ({ default: sheet })),
};
const PARTS = Object.entries(COMES).map(([name, come]) => ({ name, Part: lazy(come) }));
/** Milliseconds after which they are fetched anyway: without a link it would be too late. */
const SOON = 15_000;

export function Sheets() {
  const past = useInPast();
  const maySteer = useMay("wall.steer");
  const mayHandOver = useMay("shift.hand_over");
  useKey("g w", () => desk.setState({ sheet: "walls" }), maySteer);
  useKey("g r", () => desk.setState({ sheet: "handover" }), mayHandOver);
  useEffect(() => {
    const timer = setTimeout(() => Object.values(COMES).forEach((come) => void come().catch(() => undefined)), SOON);
    return () => clearTimeout(timer);
  }, []);
  return PARTS.map(({ name, Part }) => (
    <WhenOpened key={name} name={name}>
      {name === "major" && past ? null : <Part />}
    </WhenOpened>
  ));
}

/** From its first opening on it stays: what is open in it is not begun anew, and the focus goes back where it was. */
function WhenOpened({ name, children }: { name: string; children: ReactNode }) {
  const open = useDesk((state) => (name === "major" ? state.major !== null : state.sheet === name));
  const [opened, setOpened] = useState(open);
  if (open && !opened) setOpened(true);
  return opened || open ? (
    <Fence>
      <Suspense fallback={null}>{children}</Suspense>
    </Fence>
  ) : null;
}
