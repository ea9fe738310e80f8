import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Placed } from "../lib/board";
import { minutes } from "../lib/etas";
import { useDraftLine } from "../lib/drafts";
import { t, word } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard } from "../lib/live";
import { count, share } from "../lib/recommendation";
import { capabilityName } from "../lib/runCards";
import { useMay } from "../lib/session";
import { say, sayFailed } from "../lib/toasts";
import { callOffMoveUp, confirmMoveUp, refuseMoveUp } from "../lib/verbs";
import type { MoveUp } from "../lib/wire";
import "./recommendation.css";

/** Who could stand elsewhere so that the city is covered again: one line, one key. */
export function MoveUps() {
  useBoard();
  const mayDecide = useMay("unit.dispatch");
  const all = board.moveUps();
  const open = all.filter(({ state }) => state === "proposed").sort((a, b) => a.proposed_at.localeCompare(b.proposed_at));
  const going = all.filter(({ state }) => state === "confirmed");
  return (
    <>
      {open.slice(0, 1).map((one) => (
        <Proposed key={one.id} one={one} mayDecide={mayDecide} />
      ))}
      {going.map((one) => (
        <Going key={one.id} one={one} mayDecide={mayDecide} />
      ))}
    </>
  );
}

const forWords = ({ target }: MoveUp): string => capabilityName(word("kind", target.for)) + (target.zone ? ` · ${target.zone}` : "");

function Proposed({ one, mayDecide }: { one: Placed<MoveUp>; mayDecide: boolean }) {
  const [refusing, setRefusing] = useState(false);
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<unknown>, said: string) => {
    setBusy(true);
    const done = await work().then(() => true, (error: unknown) => (sayFailed(error), false));
    if (done) say(said);
    setBusy(false);
    return done;
  };
  const confirm = () => void act(() => confirmMoveUp(one), t("moveUps.saidYes", { unit: one.call_sign, place: one.place }));
  useKey("y", confirm, mayDecide && !busy && !refusing);
  return (
    <div className="move-up" role="status">
      <strong>{t("moveUps.line", { unit: one.call_sign, place: one.place, time: minutes(one.seconds) })}</strong>
      <span>
        {t("moveUps.gain", { what: forWords(one), n: one.target.minutes, before: share(one.share_before), after: share(one.share_after) })}
        {one.gain_people !== null && ` · ${t("moveUps.people", { people: count(one.gain_people) })}`}
        {` · ${one.leaves_people ? t("moveUps.leaves", { people: count(one.leaves_people) }) : t("moveUps.leavesNobody")}`}
      </span>
      {mayDecide && !refusing && (
        <>
          <Button size="compact-sm" loading={busy} onClick={confirm}>
            {t("moveUps.confirm")} <kbd>{"Y"}</kbd>
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setRefusing(true)}>
            {t("moveUps.refuse")}
          </Button>
        </>
      )}
      {refusing && <Refusing id={one.id} send={(reason) => act(() => refuseMoveUp(one, reason), t("moveUps.saidNo"))} back={() => setRefusing(false)} />}
    </div>
  );
}

function Refusing({ id, send, back }: { id: string; send: (reason: string) => Promise<boolean>; back: () => void }) {
  const [reason, setReason, discard] = useDraftLine(`refuse:${id}`);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim()) void send(reason.trim()).then((done) => done && discard());
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.nativeEvent.stopImmediatePropagation();
        back();
      }}
    >
      <TextInput size="xs" autoFocus aria-label={t("moveUps.reason")} placeholder={t("moveUps.reason")} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button type="submit" size="compact-sm" variant="default" disabled={!reason.trim()}>
        {t("moveUps.refuse")}
      </Button>
    </form>
  );
}

function Going({ one, mayDecide }: { one: Placed<MoveUp>; mayDecide: boolean }) {
  return (
    <div className="move-up move-up-confirmed">
      <span>{t("moveUps.confirmed", { unit: one.call_sign, place: one.place })}</span>
      {mayDecide && (
        <button type="button" className="link-button" onClick={() => void callOffMoveUp(one, "").then(() => say(t("moveUps.saidOff")), sayFailed)}>
          {t("moveUps.callOff")}
        </button>
      )}
    </div>
  );
}

/** Where a free unit is going to stand by; nothing for the others. */
export function StandBy({ unit }: { unit: string }) {
  useBoard();
  const one = board.moveUps().find(({ unit_id, state }) => unit_id === unit && state === "confirmed");
  return one ? <p className="state-line">{t("moveUps.onItsWay", { unit: one.call_sign, place: one.place })}</p> : null;
}
