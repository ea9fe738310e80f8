/** The way of the unit that is pointed at, on the map. Only a picture: when it cannot be had, there is none. */
import { useCallback, useEffect, useRef } from "react";
import { board } from "../lib/live";
import { route, type LonLat } from "../lib/verbs";
import { stage } from "./desk";

const REST = 120; // a pointer that only passes asks nothing

export function useRoute(to: LonLat | null): (unit: string | null) => void {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const turn = useRef(0);
  const place = to?.join() ?? "";

  const clear = useCallback(() => {
    turn.current += 1;
    if (timer.current) clearTimeout(timer.current);
    stage.map?.showRoute(null);
  }, []);
  useEffect(() => clear, [place, clear]);

  return useCallback(
    (unit: string | null) => {
      clear();
      const from = unit === null ? undefined : board.positions.get(unit);
      if (!unit || !from || !to) return;
      const mine = turn.current;
      timer.current = setTimeout(() => {
        route([from.lon, from.lat], to, unit).then(
          (way) => mine === turn.current && stage.map?.showRoute(way),
          () => null,
        );
      }, REST);
    },
    // `place` stands for `to`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [place, clear],
  );
}
