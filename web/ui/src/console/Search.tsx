import "./search.css";
import { Modal } from "@mantine/core";
import { IconBuilding, IconMapPin, IconSearch, IconUser } from "@tabler/icons-react";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { clock } from "../lib/clock";
import { ago } from "../lib/format";
import { t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard } from "../lib/live";
import { KINDS, LEAST, marked, onBoard, searchAll, together, type FoundThing } from "../lib/search";
import { sayFailed } from "../lib/toasts";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { UnitPill } from "../lib/ui/UnitPill";
import { search as searchPlaces } from "../lib/verbs";
import type { Unit, UnitStatus } from "../lib/wire";
import { goToPlace, goToSubject } from "./command/acts";
import { desk, stage, useDesk } from "./desk";
import { openFound } from "./past";

const PAUSE = 120;

/** `Ctrl+K` and `/`: anything by a few letters. What the board knows is there at once; the rest comes and moves nothing that is marked. */
export function Search() {
  const open = useDesk((state) => state.sheet === "search");
  useKey(["ctrl+k", "/"], () => desk.setState({ sheet: "search" }));
  const close = () => desk.setState(({ sheet }) => (sheet === "search" ? { sheet: null } : {}));
  return (
    <Modal opened={open} onClose={close} title={t("search.title")} size={720} yOffset="8vh" transitionProps={{ duration: 0 }} closeOnEscape={false} closeButtonProps={{ "aria-label": t("action.close") }} classNames={{ body: "search-body" }}>
      <Inside onClose={close} />
    </Modal>
  );
}

function Inside({ onClose }: { onClose: () => void }) {
  const revision = useBoard();
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const query = words.trim();
  const enough = query.replace(/[^\p{L}\p{N}]/gu, "").length >= LEAST || /^#\s*\d+$/.test(query);
  const here = useMemo(() => {
    void revision;
    return enough ? onBoard(query, board.incidents(), board.units(), board.positions) : [];
  }, [query, enough, revision]);
  const { there, state } = useThere(query, enough);
  const all = useMemo(() => together(here, there), [here, there]);
  const at = Math.max(0, all.findIndex((each) => keyOf(each) === chosen));

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const take = (found: FoundThing | undefined) => {
    if (!found) return;
    onClose();
    openThing(found);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % Math.max(1, all.length)];
      if (next) setChosen(keyOf(next));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(all[at]);
    }
  };

  return (
    <>
      <div className="search-line">
        <IconSearch size={20} aria-hidden />
        <input
          data-autofocus
          type="text"
          role="combobox"
          aria-label={t("search.label")}
          aria-expanded={all.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={all[at] ? `${id}-${at}` : undefined}
          placeholder={t("search.example")}
          value={words}
          maxLength={120}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => {
            setWords(event.currentTarget.value);
            setChosen(null);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <p className="search-said" role="status">
        {!enough ? t("search.least") : all.length > 0 ? `${t("search.count", { count: all.length })}${state === "asking" ? ` · ${t("search.looking")}` : state === "failed" ? ` · ${t("search.partly")}` : ""}` : state === "asking" ? t("search.looking") : state === "failed" ? t("search.partly") : t("search.nothing", { words: query })}
      </p>
      <div id={`${id}-list`} ref={list} role="listbox" aria-label={t("search.results")} className="search-list">
        {KINDS.map((kind) => {
          const group = all.filter((each) => each.kind === kind);
          if (group.length === 0) return null;
          return (
            <div key={kind} role="group" aria-label={t(`search.group.${kind}`)}>
              <h3 aria-hidden>{t(`search.group.${kind}`)}</h3>
              {group.map((found) => {
                const n = all.indexOf(found);
                return (
                  <div key={keyOf(found)} id={`${id}-${n}`} role="option" aria-selected={n === at} className="search-row" onMouseDown={(event) => event.preventDefault()} onClick={() => take(found)}>
                    <Mark found={found} />
                    <strong>
                      <Marked text={found.title} query={query} />
                    </strong>
                    <span>
                      <Marked text={found.detail} query={query} />
                    </span>
                    <small>{asideOf(found)}</small>
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
      <p className="search-hint">{t("search.hint")}</p>
    </>
  );
}

const keyOf = ({ kind, id }: FoundThing): string => `${kind}:${id}`;

/** The server's answer to the newest letters; an older one that comes late is not shown. */
function useThere(query: string, enough: boolean): { there: FoundThing[]; state: "asking" | "told" | "failed" } {
  const [answer, setAnswer] = useState<{ query: string; there: FoundThing[]; failed: boolean }>({ query: "", there: [], failed: false });
  useEffect(() => {
    if (!enough) return;
    let late = false;
    const timer = setTimeout(() => {
      const centre = stage.map?.centre() ?? ([undefined, undefined] as const);
      const places = searchPlaces(query, [...centre]).then(({ matches }) =>
        matches.slice(0, 6).map((match): FoundThing => ({ kind: "place", id: `${match.label}:${match.location.coordinates.join()}`, title: match.label, detail: match.zone && !match.label.includes(match.zone) ? match.zone : "", location: match.location, facts: { kind: match.precision } })),
      );
      void Promise.allSettled([searchAll(query).then(({ found }) => found), places]).then((both) => {
        if (!late) setAnswer({ query, there: both.flatMap((each) => (each.status === "fulfilled" ? each.value : [])), failed: both.some(({ status }) => status === "rejected") });
      });
    }, PAUSE);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [query, enough]);
  if (!enough) return { there: [], state: "told" };
  return answer.query === query ? { there: answer.there, state: answer.failed ? "failed" : "told" } : { there: [], state: "asking" };
}

function openThing({ kind, id, title, location, facts }: FoundThing): void {
  if (kind === "incident") void openFound(id).catch(sayFailed);
  else if (kind === "unit") goToSubject(`unit:${id}`);
  else if (kind === "person" && facts.unit_id && board.get<Unit>(`unit:${facts.unit_id}`)) goToSubject(`unit:${facts.unit_id}`);
  else if (kind === "person") window.open("/turnos?ver=personal", "_blank", "noopener");
  else if (location) goToPlace({ at: location.coordinates, label: title });
}

function Mark({ found: { kind, facts } }: { found: FoundThing }): ReactNode {
  if (kind === "incident" && facts.priority) return <PriorityMark level={facts.priority} size={22} muted={["closed", "cancelled", "merged", "referred"].includes(facts.state ?? "")} />;
  if (kind === "unit") return <UnitPill status={(facts.status ?? "available") as UnitStatus} />;
  if (kind === "person") return <IconUser size={20} aria-hidden />;
  return kind === "facility" ? <IconBuilding size={20} aria-hidden /> : <IconMapPin size={20} aria-hidden />;
}

function asideOf({ kind, facts }: FoundThing): string {
  if (kind === "incident") return [word("state", facts.state ?? ""), facts.opened_at ? ago(facts.opened_at, clock.now()) : ""].filter(Boolean).join(" · ");
  if (kind === "unit") return [word("kind", facts.kind ?? ""), word("unit", facts.status ?? "")].join(" · ");
  if (kind === "place") return word("precision", facts.kind ?? "");
  if (kind === "facility") return word("resources.facility.kind", facts.kind ?? "");
  const unit = facts.unit_id ? board.get<Unit>(`unit:${facts.unit_id}`) : null;
  return [facts.role, unit ? t("search.onUnit", { unit: unit.call_sign }) : ""].filter(Boolean).join(" · ");
}

function Marked({ text, query }: { text: string; query: string }) {
  return marked(text, query).map(({ text: part, hit }, at) => (hit ? <mark key={at}>{part}</mark> : <span key={at}>{part}</span>));
}
