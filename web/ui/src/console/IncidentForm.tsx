import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, type FormEvent, type KeyboardEvent } from "react";
import { newId } from "../lib/api";
import { answersFor, questionsOf } from "../lib/calls";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { t } from "../lib/i18n";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { type LonLat, type NewIncident } from "../lib/verbs";
import type { Feature, Incident, Level, PlaceMatch } from "../lib/wire";
import { Fields, type Told } from "./calls/Fields";
import { Questions } from "./calls/Questions";
import { setPlace } from "./desk";
import { useAct } from "./useAct";

interface Draft extends Told {
  id: string;
  answers: Record<string, string>;
}

interface Props {
  /** Names the draft: one per report. */
  draft: string;
  initial?: { place?: string; at?: LonLat | null; match?: PlaceMatch | null; type?: string | null };
  submitLabel: string;
  send: (incident: NewIncident) => Promise<Feature<Incident>>;
  onDone: (incident: Incident) => void;
  onCancel: () => void;
}

/** A report becomes an incident: the fields and the questions of a call, in the same order. */
export function IncidentForm({ draft: name, initial, submitLabel, send, onDone, onCancel }: Props) {
  const words = useCatalogue();
  const start = useMemo<Draft>(
    () => ({ id: newId(), place: "", at: null, match: null, type: null, priority: null, note: "", described: "", answers: {}, ...initial }),
    // The start is the start: a later change of the report must not overwrite what was typed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
  const [draft, change, discard] = useDraft<Draft>(name, start);
  const { busy, failure, act, setFailure } = useAct();

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (busy) return;
    if (!draft.at || !draft.type) {
      setFailure(t(draft.at ? "form.needsType" : "form.needsPlace"));
      return;
    }
    const { id, type, at, place, match, note, priority } = draft;
    const answers = answersFor(questionsOf(words, type), draft.answers);
    const made = await act(() => send({ id, type_code: type, priority: priority ?? undefined, location: at, place, place_match: match ?? undefined, summary: note, answers }));
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
      <Fields value={draft} change={change} />
      <Questions asked={draft} change={change} />
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
