import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, type ReactNode } from "react";

const TALL = 64;
const BEYOND = 6;

export interface Placement {
  index: number;
  count: number;
  start: number;
  measure: (element: HTMLElement | null) => void;
}

/**
 * A long list of which only what is seen exists. The row that is selected stays, wherever one scrolls, so that the keyboard does not lose
 * its place, and comes into view when another becomes it.
 */
export function Rows({ subjects, selected, children }: { subjects: string[]; selected: string | null; children: (index: number, at: Placement) => ReactNode }) {
  const scroller = useRef<HTMLDivElement>(null);
  const at = selected === null ? -1 : subjects.indexOf(selected);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const seen = defaultRangeExtractor(range);
      return at < 0 || seen.includes(at) ? seen : [...seen, at].sort((a, b) => a - b);
    },
    [at],
  );
  const virtual = useVirtualizer({
    count: subjects.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => TALL,
    getItemKey: (index) => subjects[index] ?? index,
    overscan: BEYOND,
    rangeExtractor,
  });
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (at >= 0 && shown.current !== selected) virtual.scrollToIndex(at, { align: "auto" });
    shown.current = selected;
  }, [at, selected, virtual]);
  return (
    <div className="rows" data-scroll ref={scroller}>
      <ul style={{ blockSize: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => children(index, { index, count: subjects.length, start, measure: virtual.measureElement }))}
      </ul>
    </div>
  );
}
