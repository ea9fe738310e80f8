import "./layout.css";
import { useMediaQuery } from "@mantine/hooks";
import { Fragment, useEffect, useMemo, useRef, type ReactNode } from "react";
import { Cell, Grid, Gridline, type GridImperativeHandle, type GridLayout } from "react-resizable-panels";
import { t } from "../../lib/i18n";
import { sizesKey, tracksOf, type Layout, type Part, type Sizes } from "../../lib/layout";
import { useDesk } from "../desk";
import { forgetSizes, keepSizes, keptSizes } from "./arrangement";

export const NARROW = "(max-width: 960px)";

/**
 * The parts of the desk beside each other, as the layout says. Parts are the same elements in every layout: changing it moves them, and
 * nothing in them begins anew (there is one map for the whole session). On a telephone one part is in front.
 */
export function DeskGrid({ parts }: { parts: Record<Part, ReactNode> }) {
  const layout = useDesk((state) => state.layout);
  const apart = useDesk((state) => state.apart);
  const narrow = useMediaQuery(NARROW, matchMedia(NARROW).matches);
  const handle = useRef<GridImperativeHandle>(null);
  const tracks = useMemo(() => tracksOf(layout, apart), [layout, apart]);
  const key = sizesKey(layout, apart);
  const kept = useRef(false);
  const idOf = (part: Part) => `${key}/${part}`;
  const columns = tracks.map(({ part, share, least }) => ({ id: idOf(part), defaultSize: `${share}%`, minSize: `${least}px` }));
  const sizes = keptSizes(layout, apart);
  useEffect(() => subscribeToReset(() => reset(handle.current, layout, apart)), [layout, apart]);

  const onLayoutChanged = ({ columns: found }: GridLayout, { isUserInteraction }: { isUserInteraction: boolean }) => {
    if (!isUserInteraction || narrow) return;
    kept.current = true;
    const next: Sizes = {};
    for (const { part } of tracks) {
      const size = found[idOf(part)];
      if (size === undefined) return;
      next[part] = size;
    }
    keepSizes(layout, apart, next);
  };

  return (
    <Grid
      id="desk"
      className="desk-grid"
      gridRef={handle}
      columns={columns}
      rows={1}
      disabled={narrow}
      defaultLayout={sizes && { columns: Object.fromEntries(tracks.map(({ part }) => [idOf(part), sizes[part] ?? 0])) }}
      onLayoutChanged={onLayoutChanged}
    >
      {tracks.map(({ part }, at) => (
        <Fragment key={part}>
          {at > 0 && (
            <Gridline
              type="column"
              column={at}
              className="desk-line"
              elementRef={(line) => line?.setAttribute("aria-label", t("layout.line", { left: t(`layout.part.${tracks[at - 1]?.part ?? part}`), right: t(`layout.part.${part}`) }))}
            />
          )}
          <Cell column={at} row={0} className={`desk-cell desk-cell-${part}`} style={{ overflow: "hidden" }}>
            {parts[part]}
          </Cell>
        </Fragment>
      ))}
    </Grid>
  );
}

const resets = new Set<() => void>();

function subscribeToReset(act: () => void): () => void {
  resets.add(act);
  return () => {
    resets.delete(act);
  };
}

/** Every part as wide as it was made. */
export function resetSizes(): void {
  for (const act of resets) act();
}

function reset(grid: GridImperativeHandle | null, layout: Layout, apart: boolean): void {
  forgetSizes(layout, apart);
  grid?.setLayout({ columns: Object.fromEntries(tracksOf(layout, apart).map(({ part, share }) => [`${sizesKey(layout, apart)}/${part}`, share])) });
}
