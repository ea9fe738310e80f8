import { useId } from "react";
import { word } from "../i18n";
import { pillOf } from "../queue";
import type { UnitStatus } from "../wire";

/** Letter and fill say the status; the three hues only group it (free, on a task, unavailable). */
export function UnitPill({ status, lost = false, waiting = false }: { status: UnitStatus; lost?: boolean; waiting?: boolean }) {
  const { letter, fill, hue } = lost ? ({ letter: "?", fill: "dashed", hue: "no" } as const) : pillOf(status);
  const id = useId();
  const colour = `var(--u-${hue})`;
  const shape = { x: 1, y: 1, width: 24, height: 16, rx: 8 };
  const ink = (tone: string) => (
    <text x={fill === "half" ? 16.5 : 13} y={13.2} textAnchor="middle" fontSize={11.5} fontWeight={800} fill={tone} aria-hidden>
      {letter}
    </text>
  );
  return (
    <svg className={waiting ? "unit-pill unit-pill-waiting" : "unit-pill"} width={26} height={18} viewBox="0 0 26 18" role="img" aria-label={lost ? word("unit", "lost") : word("unit", status)}>
      <defs>
        <clipPath id={`${id}l`}>
          <rect x={0} y={0} width={9.5} height={18} />
        </clipPath>
        <pattern id={`${id}s`} width={5} height={5} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width={2.2} height={5} fill={colour} />
        </pattern>
      </defs>
      <rect {...shape} fill={fill === "solid" ? colour : "var(--s0)"} />
      {fill === "half" && <rect {...shape} fill={colour} clipPath={`url(#${id}l)`} />}
      {fill === "stripes" && <rect {...shape} fill={`url(#${id}s)`} />}
      {fill === "stripes" && <rect x={8} y={2} width={10} height={14} fill="var(--s0)" />}
      <rect {...shape} className="unit-pill-edge" fill="none" stroke={colour} strokeWidth={1.8} strokeDasharray={fill === "dashed" ? "3 2.4" : undefined} />
      {ink(fill === "solid" ? "var(--u-text)" : colour)}
    </svg>
  );
}
