import { Button, Select, Textarea } from "@mantine/core";
import { IconCrosshair, IconMapPin, IconPlus } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState, type FormEvent, type KeyboardEvent, type ReactNode } from "react";
import { newId } from "../lib/api";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { has, t } from "../lib/i18n";
import { matches } from "../lib/queue";
import { say } from "../lib/toasts";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { describe, open, type LonLat, type NewIncident } from "../lib/verbs";
import type { Feature, Incident, Level, PlaceMatch } from "../lib/wire";
import { CardHead } from "./CardHead";
import { select, setPlace, stage, useDesk } from "./desk";
import { PlaceField } from "./PlaceField";
import { useAct } from "./useAct";

/** What callers and dispatchers say for a type whose name nobody says. */
const alsoCalled = (code: string): string => (has(`typeWords.${code}`) ? t(`typeWords.${code}`) : "");

interface Draft {
  id: string;
  place: string;
  /** The words came from the map and may follow it; once a person types, they are theirs. */
  placeFromMap: boolean;
  at: LonLat | null;
  /** What the words were taken to mean, when the point came from choosing it. */
  match: PlaceMatch | null;
  type: string | null;
  priority: Level | null;
  summary: string;
}

interface Props {
  /** Names the draft: one per report, one for the blank form. */
  draft: string;
  initial?: Partial<Pick<Draft, "place" | "at" | "match" | "type">>;
  submitLabel: string;
  send: (incident: NewIncident) => Promise<Feature<Incident>>;
  onDone: (incident: Incident) => void;
  onCancel: () => void;
  children?: ReactNode;
}

/** Place first, then type; the rest can wait. The same form opens an incident by hand and out of a report. */
export function IncidentForm({ draft: name, initial, submitLabel, send, onDone, onCancel, children }: Props) {
  const { types, groups, type: typeOf } = useCatalogue();
  const start = useMemo<Draft>(
    () => ({ id: newId(), place: "", placeFromMap: true, at: null, match: null, type: null, priority: null, summary: "", ...initial, ...(initial?.place ? { placeFromMap: false } : {}) }),
    // The start is the start: a later change of the report must not overwrite what was typed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
  const [draft, change, discard] = useDraft<Draft>(name, start);
  const [typed, setTyped] = useState("");
  const { busy, failure, act, setFailure } = useAct();
  const clicked = useDesk((state) => state.place);
  const placeField = useRef<HTMLInputElement>(null);
  const typeField = useRef<HTMLInputElement>(null);
  const latest = useRef(draft);
  useEffect(() => {
    latest.current = draft;
  });

  useEffect(() => {
    // A draft that already had a point shows it again.
    if (latest.current.at && !clicked) setPlace(latest.current.at);
    (latest.current.place === "" || !latest.current.at ? placeField : typeField).current?.focus();
    return () => setPlace(null);
    // Only when the form opens.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  useEffect(() => {
    if (!clicked) return;
    const { match } = latest.current;
    // Moved on the map, it is no longer where the words lead.
    change({ at: clicked, match: match && clicked[0] === match.lon && clicked[1] === match.lat ? match : null });
    if (!latest.current.placeFromMap && latest.current.place.trim() !== "") return;
    let late = false;
    describe(clicked).then(
      ({ place }) => !late && change({ place, placeFromMap: true }),
      () => null,
    );
    return () => {
      late = true;
    };
  }, [clicked, change]);

  // A whole street or quarter is not a place to send anybody to without a second look.
  const precision = draft.match?.precision;
  const rough = draft.match?.kind === "between" ? null : precision === "street" || precision === "zone" ? precision : null;
  const type = typeOf(draft.type);
  const priority = draft.priority ?? type?.priority ?? null;
  const options = useMemo(
    () =>
      groups
        .map(({ code, name: group }) => ({ group, items: types.filter((each) => each.group === code).map((each) => ({ value: each.code, label: each.name })) }))
        .filter(({ items }) => items.length > 0),
    [types, groups],
  );

  /** Types that the letters in the field may mean, when they are not the chosen one's name. */
  const meant = () => (typed === "" || typed === type?.name ? [] : types.filter((each) => matches(typed, each.name, alsoCalled(each.code), groups.find(({ code }) => code === each.group)?.name)));

  /** Enter takes the first of the list even when it was typed faster than the list opened; a marked option is left to the list. */
  const onTypeKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || typeField.current?.getAttribute("aria-activedescendant")) return;
    const [first, second] = meant();
    if (!first || (second && (event.ctrlKey || event.metaKey))) return;
    change({ type: first.code, priority: null });
    latest.current = { ...latest.current, type: first.code, priority: null };
    if (!event.ctrlKey && !event.metaKey) event.preventDefault();
  };

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (busy) return;
    if (!draft.at) {
      setFailure(t("form.needsPlace"));
      return;
    }
    const chosen = latest.current.type;
    if (!chosen) {
      setFailure(t("form.needsType"));
      typeField.current?.focus();
      return;
    }
    const made = await act(() =>
      send({ id: draft.id, type_code: chosen, priority: draft.priority ?? undefined, location: draft.at, place: draft.place, place_match: draft.match ?? undefined, summary: draft.summary }),
    );
    if (!made) return;
    discard();
    setPlace(null);
    onDone(made.properties);
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void submit();
    }
    if (event.key === "Escape" && !event.defaultPrevented) {
      event.stopPropagation();
      event.nativeEvent.stopImmediatePropagation();
      onCancel();
    }
  };

  return (
    <form className="card-form" onSubmit={(event) => void submit(event)} onKeyDown={onKeyDown} noValidate>
      <PlaceField
        ref={placeField}
        value={draft.place}
        chosen={draft.match}
        searchAtOnce={draft.place !== "" && !draft.at}
        onWords={(place) => {
          change({ place, placeFromMap: place === "", ...(draft.match ? { match: null, at: null } : {}) });
          if (draft.match) setPlace(null);
        }}
        onChoose={(match) => {
          change({ match, at: [match.lon, match.lat], placeFromMap: false });
          latest.current = { ...latest.current, match, placeFromMap: false };
          setPlace([match.lon, match.lat]);
          stage.map?.goTo([match.lon, match.lat]);
          typeField.current?.focus();
        }}
      />
      <div className={`point-line${draft.at && !rough ? "" : " point-line-missing"}`}>
        <IconMapPin size={17} aria-hidden />
        <span>{draft.at ? t(rough ? `form.rough.${rough}` : "form.pointSet") : t("form.pointMissing")}</span>
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
      <Select
        ref={typeField}
        label={t("form.type")}
        placeholder={t("form.typeExample")}
        data={options}
        value={draft.type}
        onChange={(value) => change({ type: value, priority: null })}
        onSearchChange={setTyped}
        onKeyDownCapture={onTypeKey}
        searchable
        openOnFocus={false}
        selectFirstOptionOnChange
        nothingFoundMessage={t("form.noType")}
        maxDropdownHeight={320}
        filter={({ options: all, search }) =>
          all.flatMap((entry) => {
            if (!("group" in entry)) return [];
            const items = entry.items.filter(({ label, value }) => matches(search, String(label), alsoCalled(value), String(entry.group)));
            return items.length > 0 ? [{ ...entry, items }] : [];
          })
        }
      />
      <PriorityPicker value={priority} suggested={type?.priority ?? null} onChange={(level) => change({ priority: level })} />
      <Textarea
        label={t("form.summary")}
        placeholder={t("form.summaryExample")}
        autosize
        minRows={2}
        maxRows={6}
        maxLength={2000}
        value={draft.summary}
        onChange={(event) => change({ summary: event.currentTarget.value })}
      />
      {children}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <div className="form-buttons">
        <Button type="submit" loading={busy} leftSection={<IconPlus size={16} />}>
          {submitLabel} <kbd>{"Ctrl ↵"}</kbd>
        </Button>
        <Button variant="subtle" color="gray" onClick={onCancel}>
          {t("action.leaveForLater")} <kbd>{"Esc"}</kbd>
        </Button>
        <button type="button" className="link-button form-discard" onClick={() => { discard(); setPlace(null); }}>
          {t("form.clear")}
        </button>
      </div>
    </form>
  );
}

export function PriorityPicker({ value, suggested, onChange }: { value: Level | null; suggested: Level | null; onChange: (level: Level) => void }) {
  const { priorities } = useCatalogue();
  return (
    <fieldset className="priority-picker">
      <legend>{t("form.priority")}</legend>
      <div>
        {([1, 2, 3, 4] as Level[]).map((level) => (
          <label key={level} className={value === level ? "priority-choice priority-choice-on" : "priority-choice"}>
            <input type="radio" name="priority" checked={value === level} onChange={() => onChange(level)} />
            <PriorityMark level={level} size={22} />
            <span>{priorities.find((each) => each.level === level)?.name ?? t(`priority.${level}`)}</span>
            {suggested === level && <small>{t("form.suggested")}</small>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** `N`, or a double click on the map. */
export function NewIncidentCard() {
  return (
    <>
      <CardHead mark={<IconPlus size={24} aria-hidden />} title={t("form.newTitle")} code={t("form.newHint")} />
      <IncidentForm
        draft="new"
        submitLabel={t("form.create")}
        send={open}
        onDone={(incident) => {
          say(t("form.created", { code: incident.code }));
          select(`incident:${incident.id}`);
        }}
        onCancel={() => select(null)}
      />
    </>
  );
}
