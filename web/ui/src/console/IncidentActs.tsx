import { Button, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { distance, metresBetween } from "../lib/format";
import { t } from "../lib/i18n";
import { useDigits } from "../lib/keys";
import { say, undoOf } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import { TwoVersions } from "../lib/ui/TwoVersions";
import { cancel, close, hold, reclassify, relocate, reopen, type Classed, type Located, type LonLat } from "../lib/verbs";
import type { Incident, Level, PlaceMatch } from "../lib/wire";
import { openForm, setPlace, stage, useDesk } from "./desk";
import { AnswerField, AnswerWords } from "./AnswerField";
import { PriorityPicker } from "./IncidentForm";
import { PlaceField } from "./PlaceField";
import { TypeSelect } from "./TypeSelect";
import { useAct } from "./useAct";
import { useContested } from "./useContested";

/** A small form inside the card: a title, its fields, a refusal in words, a way back. */
export function Act({ title, failure, children }: { title: string; failure: string | null; children: ReactNode }) {
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    // Braces: newer browsers answer with a promise, which is no clean-up.
    void section.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <section ref={section} className="card-section act">
      <h3>{title}</h3>
      {children}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </section>
  );
}

export const Back = () => (
  <Button variant="subtle" color="gray" size="sm" onClick={() => openForm(null)}>
    {t("action.back")} <kbd>{"Esc"}</kbd>
  </Button>
);

const SECRET = 2; // of these reporters are told only what somebody chose to write

/** How it ended: a digit is enough. Closing frees its units; ten seconds to take it back. */
export function CloseForm({ incident }: { incident: Incident }) {
  const { dispositions } = useCatalogue();
  const [draft, change, discard] = useDraft(`close:${incident.id}`, { note: "", answer: "" });
  const { busy, failure, act } = useAct();
  const answered = incident.reports > 0;
  const standing = answered && incident.sensitivity < SECRET; // what an ending says by itself
  const send = (disposition: string | undefined) => {
    if (!disposition || busy) return;
    void act(() => close(incident.id, disposition, draft)).then((done) => {
      if (done === null) return;
      discard();
      openForm(null);
      say(t("incident.nowClosed", { code: incident.code }), undoOf(done));
    });
  };
  useDigits((index) => send(dispositions[index]?.code));
  return (
    <Act title={t("incident.closeTitle")} failure={failure}>
      {incident.assignments.length > 0 && <p className="hint">{t("incident.closeFrees", { count: incident.assignments.length })}</p>}
      <ol className="choices">
        {dispositions.map(({ code, name, answer }, index) => (
          <li key={code}>
            <button type="button" disabled={busy} onClick={() => send(code)}>
              {index < 9 && <kbd>{index + 1}</kbd>} {name} {standing && !draft.answer.trim() && <AnswerWords answer={answer} />}
            </button>
          </li>
        ))}
      </ol>
      {answered && <AnswerField value={draft.answer} onChange={(answer) => change({ answer })} />}
      <TextInput label={t("form.noteOptional")} value={draft.note} maxLength={500} onChange={(event) => change({ note: event.currentTarget.value })} />
      <div className="form-buttons">
        <Back />
      </div>
    </Act>
  );
}

function useReason(form: string, incident: Incident) {
  const [draft, change, discard] = useDraft(`${form}:${incident.id}`, { reason: "" });
  return {
    reason: draft.reason.trim(),
    discard,
    field: (label: string, optional = false) => (
      <TextInput
        autoFocus
        label={label}
        required={!optional}
        withAsterisk={false}
        value={draft.reason}
        maxLength={300}
        onChange={(event) => change({ reason: event.currentTarget.value })}
      />
    ),
  };
}

export function CancelForm({ incident }: { incident: Incident }) {
  const { reason, discard, field } = useReason("cancel", incident);
  const [draft, change, discardAnswer] = useDraft(`cancel-answer:${incident.id}`, { answer: "" });
  const { busy, failure, act } = useAct();
  const send = () =>
    void act(() => cancel(incident.id, reason, draft.answer)).then((done) => {
      if (done === null) return;
      discard();
      discardAnswer();
      openForm(null);
      say(t("incident.nowCancelled", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.cancelTitle")} failure={failure}>
      {field(t("form.reason"))}
      {incident.reports > 0 && <AnswerField value={draft.answer} onChange={(answer) => change({ answer })} />}
      <div className="form-buttons">
        {incident.priority === 1 ? (
          <HoldButton label={t("incident.cancel")} disabled={!reason || busy} onHeld={send} />
        ) : (
          <Button size="sm" disabled={!reason} loading={busy} onClick={send}>
            {t("incident.cancel")}
          </Button>
        )}
        <Back />
      </div>
    </Act>
  );
}

export function HoldForm({ incident }: { incident: Incident }) {
  const { reason, discard, field } = useReason("hold", incident);
  const { busy, failure, act } = useAct();
  const send = () =>
    void act(() => hold(incident.id, reason)).then((done) => {
      if (done === null) return;
      discard();
      openForm(null);
      say(t("incident.nowWaiting", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.holdTitle")} failure={failure}>
      {field(t("form.reasonOptional"), true)}
      <div className="form-buttons">
        <Button size="sm" loading={busy} onClick={send}>
          {t("incident.hold")}
        </Button>
        <Back />
      </div>
    </Act>
  );
}

export function ReopenForm({ incident }: { incident: Incident }) {
  const { reason, discard, field } = useReason("reopen", incident);
  const { busy, failure, act } = useAct();
  const send = () =>
    void act(() => reopen(incident.id, reason)).then((done) => {
      if (done === null) return;
      discard();
      openForm(null);
      say(t("incident.nowReopened", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.reopen")} failure={failure}>
      {field(t("form.reason"))}
      <div className="form-buttons">
        <Button size="sm" disabled={!reason} loading={busy} onClick={send}>
          {t("incident.reopen")}
        </Button>
        <Back />
      </div>
    </Act>
  );
}

const LEVELS: readonly Level[] = [1, 2, 3, 4];

interface Reclassing {
  code: string;
  priority: Level;
  /** What both said when one began. */
  was: { code: string; priority: Level };
}

/** Only what was touched is sent: the other field may be somebody else's at this moment. */
export function ReclassifyForm({ incident }: { incident: Incident }) {
  const { type } = useCatalogue();
  const start = { code: incident.type_code, priority: incident.priority };
  const [draft, change, discard] = useDraft<Reclassing>(`reclassify:${incident.id}`, { ...start, was: start });
  const { busy, failure, attempt, contest } = useContested<{ type_code: string; priority: Level }>();
  const name = (code: string) => type(code)?.name ?? code;
  const leave = () => {
    discard();
    openForm(null);
  };
  const send = (priority: Level, theirs: Classed = {}) => {
    const { code, was } = draft;
    const to = { ...(code !== was.code && { type_code: code }), ...((priority !== was.priority || code !== was.code) && { priority }) };
    if (Object.keys(to).length === 0) return leave();
    void attempt(() => reclassify(incident.id, to, { ...(to.type_code && { type_code: was.code }), ...(to.priority && { priority: was.priority }), ...theirs })).then((done) => {
      if (done === null) return;
      leave();
      say(t("incident.nowReclassified", { code: incident.code }), undoOf(done));
    });
  };
  // P, then the number: it is that priority. Ten seconds to take it back.
  useDigits((index) => {
    const level = LEVELS[index];
    if (!level || busy || contest) return;
    change({ priority: level });
    if (draft.code !== draft.was.code || level !== draft.was.priority) send(level);
  });
  return (
    <Act title={t("incident.reclassify")} failure={failure}>
      <TypeSelect
        allowNone={false}
        value={draft.code}
        onChange={(next) => {
          if (!next) return;
          const suggested = type(next)?.priority;
          change({ code: next, ...(suggested && next !== draft.was.code && { priority: suggested }) });
        }}
      />
      <PriorityPicker value={draft.priority} suggested={type(draft.code)?.priority ?? null} onChange={(priority) => change({ priority })} />
      {contest ? (
        <TwoVersions
          fields={[
            ...(contest.fields.type_code ? [{ label: t("form.type"), theirs: name(contest.fields.type_code), mine: name(draft.code) }] : []),
            ...(contest.fields.priority ? [{ label: t("form.priority"), theirs: contest.fields.priority, mine: draft.priority }] : []),
          ]}
          by={contest.by}
          at={contest.at}
          busy={busy}
          onMine={() => send(draft.priority, contest.fields)}
          onTheirs={leave}
        />
      ) : (
        <div className="form-buttons">
          <Button size="sm" loading={busy} disabled={draft.code === draft.was.code && draft.priority === draft.was.priority} onClick={() => send(draft.priority)}>
            {t("incident.saveType")}
          </Button>
          <Back />
        </div>
      )}
    </Act>
  );
}

export function RelocateForm({ incident }: { incident: Placed<Incident> }) {
  const at = useDesk((state) => state.place);
  const [{ place, was }, change, discard] = useDraft<{ place: string; was: Located }>(`relocate:${incident.id}`, { place: incident.place ?? "", was: { place: incident.place ?? "", location: incident.at ?? undefined } });
  const [chosen, setChosen] = useState<PlaceMatch | null>(null);
  const match = chosen && at && at[0] === chosen.lon && at[1] === chosen.lat ? chosen : null;
  const { busy, failure, attempt, contest } = useContested<{ place: string; location: LonLat }>();
  const leave = () => {
    discard();
    setPlace(null);
    openForm(null);
  };
  const send = (began: Located) =>
    at &&
    void attempt(() => relocate(incident.id, at, place, match, began)).then((done) => {
      if (done === null) return;
      leave();
      say(t("incident.nowRelocated", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.relocate")} failure={failure}>
      <p className="hint">{t("incident.relocateHint")}</p>
      <PlaceField
        value={place}
        chosen={match}
        onWords={(words) => change({ place: words })}
        onChoose={(found) => {
          setChosen(found);
          setPlace([found.lon, found.lat]);
          stage.map?.goTo([found.lon, found.lat]);
        }}
      />
      {contest ? (
        <TwoVersions
          fields={[
            {
              label: t("form.place"),
              theirs: contest.fields.place ?? incident.place ?? "—",
              mine: contest.fields.location && at ? t("conflict.away", { place: place || "—", far: distance(metresBetween(contest.fields.location, at)) }) : place || "—",
            },
          ]}
          by={contest.by}
          at={contest.at}
          busy={busy}
          onMine={() => send({ ...was, ...contest.fields })}
          onTheirs={leave}
        />
      ) : (
        <div className="form-buttons">
          <Button size="sm" loading={busy} disabled={!at} onClick={() => send(was)}>
            {t("incident.savePlace")}
          </Button>
          <Back />
        </div>
      )}
    </Act>
  );
}
