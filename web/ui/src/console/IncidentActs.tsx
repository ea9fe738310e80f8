import { Button, Select, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Placed } from "../lib/board";
import { useCatalogue } from "../lib/catalogue";
import { useDraft } from "../lib/drafts";
import { t } from "../lib/i18n";
import { useDigits } from "../lib/keys";
import { matches } from "../lib/queue";
import { say, undoOf } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import { cancel, close, hold, reclassify, relocate, reopen } from "../lib/verbs";
import type { Incident, Level, PlaceMatch } from "../lib/wire";
import { openForm, setPlace, stage, useDesk } from "./desk";
import { PriorityPicker } from "./IncidentForm";
import { PlaceField } from "./PlaceField";
import { useAct } from "./useAct";

/** A small form inside the card: a title, its fields, a refusal in words, a way back. */
function Act({ title, failure, children }: { title: string; failure: string | null; children: ReactNode }) {
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

const Back = () => (
  <Button variant="subtle" color="gray" size="sm" onClick={() => openForm(null)}>
    {t("action.back")} <kbd>{"Esc"}</kbd>
  </Button>
);

/** How it ended: a digit is enough. Closing frees its units; ten seconds to take it back. */
export function CloseForm({ incident }: { incident: Incident }) {
  const { dispositions } = useCatalogue();
  const [draft, change, discard] = useDraft(`close:${incident.id}`, { note: "" });
  const { busy, failure, act } = useAct();
  const send = (disposition: string | undefined) => {
    if (!disposition || busy) return;
    void act(() => close(incident.id, disposition, draft.note)).then((done) => {
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
        {dispositions.map(({ code, name }, index) => (
          <li key={code}>
            <button type="button" disabled={busy} onClick={() => send(code)}>
              {index < 9 && <kbd>{index + 1}</kbd>} {name}
            </button>
          </li>
        ))}
      </ol>
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
  const { busy, failure, act } = useAct();
  const send = () =>
    void act(() => cancel(incident.id, reason)).then((done) => {
      if (done === null) return;
      discard();
      openForm(null);
      say(t("incident.nowCancelled", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.cancelTitle")} failure={failure}>
      {field(t("form.reason"))}
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

export function ReclassifyForm({ incident }: { incident: Incident }) {
  const { types, type } = useCatalogue();
  const [code, setCode] = useState<string | null>(incident.type_code);
  const [priority, setPriority] = useState<Level>(incident.priority);
  const { busy, failure, act } = useAct();
  const send = () =>
    code &&
    void act(() => reclassify(incident.id, code, priority)).then((done) => {
      if (done === null) return;
      openForm(null);
      say(t("incident.nowReclassified", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.reclassify")} failure={failure}>
      <Select
        label={t("form.type")}
        data={types.map(({ code: value, name: label }) => ({ value, label }))}
        value={code}
        searchable
        selectFirstOptionOnChange
        onChange={(next) => {
          setCode(next);
          const suggested = type(next)?.priority;
          if (suggested && next !== incident.type_code) setPriority(suggested);
        }}
        filter={({ options, search }) => options.filter((option) => "label" in option && matches(search, option.label))}
        nothingFoundMessage={t("form.noType")}
      />
      <PriorityPicker value={priority} suggested={type(code)?.priority ?? null} onChange={setPriority} />
      <div className="form-buttons">
        <Button size="sm" loading={busy} disabled={!code || (code === incident.type_code && priority === incident.priority)} onClick={send}>
          {t("incident.saveType")}
        </Button>
        <Back />
      </div>
    </Act>
  );
}

export function RelocateForm({ incident }: { incident: Placed<Incident> }) {
  const at = useDesk((state) => state.place);
  const [place, setWords] = useState(incident.place ?? "");
  const [chosen, setChosen] = useState<PlaceMatch | null>(null);
  const match = chosen && at && at[0] === chosen.lon && at[1] === chosen.lat ? chosen : null;
  const { busy, failure, act } = useAct();
  const send = () =>
    at &&
    void act(() => relocate(incident.id, at, place, match)).then((done) => {
      if (done === null) return;
      setPlace(null);
      openForm(null);
      say(t("incident.nowRelocated", { code: incident.code }), undoOf(done));
    });
  return (
    <Act title={t("incident.relocate")} failure={failure}>
      <p className="hint">{t("incident.relocateHint")}</p>
      <PlaceField
        value={place}
        chosen={match}
        onWords={setWords}
        onChoose={(found) => {
          setChosen(found);
          setPlace([found.lon, found.lat]);
          stage.map?.goTo([found.lon, found.lat]);
        }}
      />
      <div className="form-buttons">
        <Button size="sm" loading={busy} disabled={!at} onClick={send}>
          {t("incident.savePlace")}
        </Button>
        <Back />
      </div>
    </Act>
  );
}
