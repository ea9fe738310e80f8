import { Textarea } from "@mantine/core";
import { IconCrosshair, IconMapPin } from "@tabler/icons-react";
import { useEffect, useRef, type ReactNode } from "react";
import { t } from "../../lib/i18n";
import { describe, type LonLat } from "../../lib/verbs";
import type { Level, PlaceMatch } from "../../lib/wire";
import { setPlace, stage, useDesk } from "../desk";
import { PlaceField } from "../PlaceField";
import { TypeSelect } from "../TypeSelect";

/** What is told, in the order in which it is asked: where, what, in the caller's words. */
export interface Told {
  place: string;
  at: LonLat | null;
  match: PlaceMatch | null;
  described: string;
  type: string | null;
  priority: Level | null;
  note: string;
}

interface Props {
  value: Told;
  change: (next: Partial<Told>) => void;
  /** Whether the form takes the focus when it opens. */
  focus?: boolean;
  children?: ReactNode;
}

/** Place, type, note: the same fields of a call and of a report that is accepted. */
export function Fields({ value, change, focus = true, children }: Props) {
  const clicked = useDesk((state) => state.place);
  const placeField = useRef<HTMLInputElement>(null);
  const typeField = useRef<HTMLInputElement>(null);
  const latest = useRef({ value, change });
  const hadPoint = useRef(value.at !== null);
  useEffect(() => {
    latest.current = { value, change };
  });

  useEffect(() => {
    const { at, place } = latest.current.value;
    // A draft that already had a point shows it again.
    if (at && !clicked) setPlace(at);
    if (focus) (place === "" || !at ? placeField : typeField).current?.focus();
    return () => setPlace(null);
    // Only when the form opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  useEffect(() => {
    if (!clicked) return;
    const { match, at } = latest.current.value;
    // Moved on the map, it is no longer where the words lead.
    if (at?.join() !== clicked.join()) latest.current.change({ at: clicked, match: match && clicked[0] === match.lon && clicked[1] === match.lat ? match : null });
    const mayFollow = () => ["", latest.current.value.described].includes(latest.current.value.place.trim());
    if (!mayFollow()) return;
    let late = false;
    describe(clicked).then(
      (found) => {
        if (!late && mayFollow()) latest.current.change({ place: found.place, described: found.place.trim() });
      },
      () => null,
    );
    return () => {
      late = true;
    };
  }, [clicked]);

  // Another hand (the command line, another window) gave the point: the map shows it.
  useEffect(() => {
    const shown = clicked?.join() ?? "";
    if (value.at && value.at.join() !== shown) setPlace(value.at);
    if (!value.at && hadPoint.current && clicked) setPlace(null);
    hadPoint.current = value.at !== null;
    // Only when the draft's point changes.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [value.at?.join()]);

  // A whole street or quarter is not a place to send anybody to without a second look.
  const precision = value.match?.precision;
  const rough = value.match?.kind === "between" ? null : precision === "street" || precision === "zone" ? precision : null;
  return (
    <>
      <PlaceField
        ref={placeField}
        value={value.place}
        chosen={value.match}
        searchAtOnce={value.place !== "" && !value.at}
        onWords={(place) => {
          change({ place, ...(value.match ? { match: null, at: null } : {}) });
          if (value.match) setPlace(null);
        }}
        onChoose={(match) => {
          change({ match, at: [match.lon, match.lat] });
          latest.current = { ...latest.current, value: { ...latest.current.value, match, at: [match.lon, match.lat] } };
          setPlace([match.lon, match.lat]);
          stage.map?.goTo([match.lon, match.lat]);
          typeField.current?.focus();
        }}
      />
      <div className={`point-line${value.at && !rough ? "" : " point-line-missing"}`}>
        <IconMapPin size={17} aria-hidden />
        <span>{value.at ? t(rough ? `form.rough.${rough}` : "form.pointSet") : t("form.pointMissing")}</span>
        <button
          type="button"
          className="link-button"
          onClick={() => {
            const centre = stage.map?.centre();
            if (centre) setPlace(centre);
          }}
        >
          <IconCrosshair size={15} aria-hidden /> {t("form.useCentre")}
        </button>
      </div>
      <TypeSelect ref={typeField} value={value.type} onChange={(type) => change({ type, priority: null })} />
      <Textarea
        label={t("form.summary")}
        placeholder={t("form.summaryExample")}
        autosize
        minRows={1}
        maxRows={6}
        maxLength={2000}
        value={value.note}
        onChange={(event) => change({ note: event.currentTarget.value })}
      />
      {children}
    </>
  );
}
