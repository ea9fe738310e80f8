import { TextInput } from "@mantine/core";
import { IconMapPinCheck } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type Ref } from "react";
import { t, word } from "../lib/i18n";
import { CLOSED, kept, press, shown, type Option } from "../lib/suggestions";
import { search } from "../lib/verbs";
import type { Found, PlaceMatch } from "../lib/wire";
import { stage } from "./desk";

const PAUSE = 120; // ms without a key before asking

interface Props {
  ref?: Ref<HTMLInputElement>;
  value: string;
  chosen: PlaceMatch | null;
  /** There are words and no point yet: what they may mean is shown without a key being pressed. */
  searchAtOnce?: boolean;
  onWords: (words: string) => void;
  onChoose: (match: PlaceMatch) => void;
}

/** Where it is, in the caller's words. They stay as typed; what they may mean is a list, and choosing sets the point. */
export function PlaceField({ ref, value, chosen, searchAtOnce, onWords, onChoose }: Props) {
  const [list, setList] = useState(CLOSED);
  const [said, setSaid] = useState("");
  const [asked, ask] = useState(searchAtOnce && !chosen ? value : "");
  const id = useId();
  const inside = useRef(false);

  useEffect(() => {
    const words = asked.trim();
    if (words.length < 2) return;
    let late = false;
    const timer = setTimeout(() => {
      const centre = stage.map?.centre() ?? ([undefined, undefined] as const);
      const show = (found: Found) => {
        if (late || !inside.current) return;
        // Somebody already walking the list is not moved to another.
        setList((held) => (held.open && held.marked > 0 ? held : found.matches.length > 0 ? shown(found) : CLOSED));
        setSaid(t(found.matches.length === 0 ? "match.none" : found.sure ? "match.one" : "match.several"));
        if (found.more) search(words, [...centre], true).then(show, () => null);
      };
      search(words, [...centre]).then(
        show,
        () => {
          if (late) return;
          setList(CLOSED);
          setSaid(t("match.offline"));
        },
      );
    }, PAUSE);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [asked]);

  const take = (option: Option) => {
    setList(CLOSED);
    setSaid("");
    ask("");
    onChoose(kept(option));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey) return;
    const next = press(list, { key: event.key, code: event.code, alt: event.altKey });
    if (!next) {
      // Enter on a list of equals sends nothing: whoever typed it means to choose.
      if (event.key === "Enter" && list.open) event.preventDefault();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    event.nativeEvent.stopImmediatePropagation();
    if (next.taken) take(next.taken);
    else setList(next.list);
  };

  return (
    <div
      className="place-field"
      onFocus={() => (inside.current = true)}
      onBlur={(event) => {
        if (event.currentTarget.contains(event.relatedTarget)) return;
        inside.current = false;
        setList((held) => ({ ...held, open: false }));
      }}
    >
      <TextInput
        ref={ref}
        label={t("form.place")}
        placeholder={t("form.placeExample")}
        value={value}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={list.open}
        aria-controls={`${id}-list`}
        aria-activedescendant={list.open && list.marked >= 0 ? `${id}-${list.marked}` : undefined}
        aria-describedby={`${id}-said`}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          onWords(event.currentTarget.value);
          ask(event.currentTarget.value);
          if (event.currentTarget.value.trim().length < 2) {
            setList(CLOSED);
            setSaid("");
          }
        }}
      />
      <p id={`${id}-said`} className="place-said" role="status">
        {chosen ? "" : said}
      </p>
      <ul id={`${id}-list`} role="listbox" aria-label={t("match.list")} className="place-list" hidden={!list.open}>
        {list.options.map((option, at) => (
          <li
            key={`${option.label}:${option.location.coordinates.join()}`}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === list.marked}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(option)}
          >
            <kbd>{at + 1}</kbd>
            <span>
              <strong>{option.label}</strong>
              {option.zone && !option.label.includes(option.zone) && <small>{option.zone}</small>}
            </span>
            <Precise as={option.precision} />
          </li>
        ))}
      </ul>
      <MatchLine match={chosen} />
    </div>
  );
}

/** What the words were taken to mean, beside the words. */
export function MatchLine({ match }: { match: PlaceMatch | null | undefined }) {
  if (!match) return null;
  return (
    <p className="match-line">
      <IconMapPinCheck size={17} aria-hidden />
      <span>{t("match.onMap", { label: match.label })}</span>
      <Precise as={match.precision} />
    </p>
  );
}

function Precise({ as }: { as: PlaceMatch["precision"] }) {
  return (
    <small className={`precise precise-${as}`} title={t("match.precision", { word: word("precision", as) })}>
      {word("precision", as)}
    </small>
  );
}
