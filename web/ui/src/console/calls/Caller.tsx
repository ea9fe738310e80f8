import { Button, TextInput } from "@mantine/core";
import { IconPhoneOff } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { newId } from "../../lib/api";
import { useDraftLine } from "../../lib/drafts";
import { flagCaller, isPhone, liftFlag, lookAtCaller, type Caller as Known, type FormerCall } from "../../lib/calls";
import { useCatalogue } from "../../lib/catalogue";
import { stamp } from "../../lib/format";
import { t, word } from "../../lib/i18n";
import { useKey } from "../../lib/keys";
import { useSecond } from "../../lib/live";
import { useAct } from "../useAct";

const SETTLES = 700; // ms without a digit: each look is written down, so half a number is not looked at
const SHOWN = 4;

/** What is known of whoever calls from this number; null until it is a number and was looked at. */
export function useCaller(phone: string) {
  const [settled, setSettled] = useState(phone);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(phone), SETTLES);
    return () => clearTimeout(timer);
  }, [phone]);
  const digits = settled.replace(/[^+\d]/g, "");
  const asked = isPhone(settled);
  const { data, isError, refetch } = useQuery({ queryKey: ["caller", digits], queryFn: () => lookAtCaller(settled.trim()), enabled: asked, staleTime: 300_000, refetchOnWindowFocus: false, refetchOnReconnect: false });
  return { known: asked && digits === phone.replace(/[^+\d]/g, "") ? (data ?? null) : null, failed: isError && asked, again: () => void refetch() };
}

/** Former calls, pranks and silences, and whether the number may be called back. */
export function Caller({ phone, known, failed, again, wanted, onWanted }: { phone: string; known: Known | null; failed: boolean; again: () => void; wanted: boolean; onWanted: (wanted: boolean) => void }) {
  const now = useSecond();
  const [all, setAll] = useState(false);
  if (!isPhone(phone)) return null;
  return (
    <section className="card-section caller" aria-label={t("calls.caller.title")}>
      <h3>{t("calls.caller.title")}</h3>
      {failed && !known && (
        <p className="form-failure" role="alert">
          {t("calls.caller.failed")}{" "}
          <button type="button" className="link-button" onClick={again}>
            {t("action.retry")}
          </button>
        </p>
      )}
      <FlagLine key={phone.trim()} phone={phone} known={known} wanted={wanted} onWanted={onWanted} />
      {known && (
        <>
          <p className="caller-counts">
            <strong>{known.total === 0 ? t("calls.caller.first") : t("calls.caller.total", { count: known.total })}</strong>
            {known.name && <span>{known.name}</span>}
            {known.pranks > 0 && <span>{t("calls.caller.pranks", { count: known.pranks })}</span>}
            {known.silent > 0 && <span>{t("calls.caller.silent", { count: known.silent })}</span>}
          </p>
          {known.silent_last_hour >= 3 && <p className="caller-warning">{t("calls.caller.silentHour", { n: known.silent_last_hour })}</p>}
          <ul>
            {known.calls.slice(0, all ? undefined : SHOWN).map((call) => (
              <Former key={call.report_id} call={call} now={now} />
            ))}
          </ul>
          {known.calls.length > SHOWN && !all && (
            <button type="button" className="link-button" onClick={() => setAll(true)}>
              {t("calls.caller.more")}
            </button>
          )}
        </>
      )}
    </section>
  );
}

function Former({ call, now }: { call: FormerCall; now: number }) {
  const { dismissals, channels } = useCatalogue();
  const outcome = call.incident
    ? `${call.incident.type_name} · ${word("state", call.incident.state)}`
    : call.deflected_to
      ? t("calls.caller.deflected", { channel: (channels ?? []).find(({ code }) => code === call.deflected_to)?.name ?? call.deflected_to })
      : call.dismissal
        ? (dismissals.find(({ code }) => code === call.dismissal)?.name ?? call.dismissal)
        : word("report.status", call.status);
  return (
    <li>
      <time dateTime={call.at}>{stamp(call.at, now)}</time>
      <span>
        <strong>{outcome}</strong>
        <small>{[call.place, call.words && `«${call.words}»`].filter(Boolean).join(" · ")}</small>
      </span>
    </li>
  );
}

const REASONS = ["asked", "danger", "abuse"] as const;

function FlagLine({ phone, known, wanted, onWanted }: { phone: string; known: Known | null; wanted: boolean; onWanted: (wanted: boolean) => void }) {
  const now = useSecond();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [other, setOther, discard] = useDraftLine(`flag:${phone.trim()}`);
  const { busy, failure, act } = useAct();
  const again = () => void queries.invalidateQueries({ queryKey: ["caller"] });
  const flag = (why: string) =>
    void act(() => flagCaller(newId(), phone.trim(), why)).then((done) => {
      if (!done) return;
      discard();
      setAsking(false);
      onWanted(false);
      again();
    });
  const held = known?.flag ?? null;
  const open = () => setAsking((is) => !is);
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (asking) line.current?.scrollIntoView({ block: "nearest" });
  }, [asking]);
  useKey(["z", "alt+z"], open, held === null);
  if (held)
    return (
      <p className="caller-flag">
        <IconPhoneOff size={18} aria-hidden />
        <span>
          <strong>{t("calls.flag.title")}</strong> {t("calls.flag.by", { why: held.why || t("calls.flag.reasons.asked"), name: held.by, when: stamp(held.at, now) })}
        </span>
        <Button type="button" size="compact-sm" variant="default" loading={busy} onClick={() => void act(() => liftFlag(held.id)).then((done) => done && again())}>
          {t("calls.flag.lift")}
        </Button>
        {failure && <span className="form-failure">{failure}</span>}
      </p>
    );
  return (
    <div className="caller-unflagged" ref={line}>
      <Button type="button" size="compact-sm" variant="default" aria-expanded={asking} leftSection={<IconPhoneOff size={14} />} onClick={open}>
        {t("calls.flag.title")} <kbd>{"Z"}</kbd>
      </Button>
      {wanted && (
        <span className="caller-wanted">
          {t("calls.flag.onSave")}{" "}
          <button type="button" className="link-button" onClick={() => onWanted(false)}>
            {t("calls.flag.unwant")}
          </button>
        </span>
      )}
      {asking && (
        <div className="flag-why">
          <span>{t("calls.flag.why")}</span>
          {REASONS.map((reason) => (
            <Button key={reason} type="button" size="compact-sm" variant="default" disabled={busy} onClick={() => flag(t(`calls.flag.reasons.${reason}`))}>
              {t(`calls.flag.reasons.${reason}`)}
            </Button>
          ))}
          <TextInput
            size="xs"
            aria-label={t("calls.flag.other")}
            placeholder={t("calls.flag.other")}
            value={other}
            maxLength={200}
            onChange={(event) => setOther(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.ctrlKey) return;
              event.preventDefault();
              if (other.trim()) flag(other.trim());
            }}
          />
        </div>
      )}
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </div>
  );
}
