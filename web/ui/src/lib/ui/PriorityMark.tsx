import { t } from "../i18n";
import { FRAMES } from "../map/markers";
import type { Level } from "../wire";

/** The shape and the number of a priority, as on the map: an octagon, a triangle, a diamond, a circle. */
export function PriorityMark({ level, size = 28, hollow = false, muted = false }: { level: Level; size?: number; hollow?: boolean; muted?: boolean }) {
  const corners = FRAMES[level];
  const colour = muted ? "var(--u-no)" : `var(--p${level})`;
  const paint = {
    fill: hollow ? "transparent" : colour,
    stroke: hollow ? colour : "var(--ink)",
    strokeWidth: hollow ? 2 : 1.2,
    strokeLinejoin: "round" as const,
  };
  return (
    <svg className="priority-mark" width={size} height={size} viewBox="-14 -14 28 28" role="img" aria-label={t("priority.say", { n: level })}>
      {corners ? (
        <polygon points={corners.map(([x, y]) => `${x * 11},${y * 11 + (level === 2 ? 2.4 : 0)}`).join(" ")} {...paint} />
      ) : (
        <circle r={11.5} {...paint} />
      )}
      <text
        y={level === 2 ? 5.8 : 4.7}
        textAnchor="middle"
        fontSize={13}
        fontWeight={800}
        fill={hollow ? "var(--tx-hi)" : muted ? "var(--s0)" : `var(--p${level}-text)`}
        aria-hidden
      >
        {level}
      </text>
    </svg>
  );
}
