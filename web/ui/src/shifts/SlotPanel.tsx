import { Button, CloseButton, SegmentedControl, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { askSwap, candidates, place, removePlacement } from "../lib/verbs";
import type { Candidate, ShiftSlot } from "../lib/wire";
import { dayOf, inWords, longDayName, roleName, useEdition, useRules } from "./useStaff";

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** One shift: who is in it, what is missing, and who could come, with what speaks against each in words. */
export function SlotPanel({ slot, wanted, onClose }: { slot: ShiftSlot; wanted: string | null; onClose: () => void }) {
  const mayPlan = useMay("shift.manage");
  const over = Date.parse(slot.ends_at) <= useSecond();
  const { data: rules } = useRules();
  const { busy, failure, act } = useAct();
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!panel.current?.contains(document.activeElement)) panel.current?.focus();
  }, []);

  const remove = (placement: string) =>
    act(async () => {
      await removePlacement(placement);
      say(t("shifts.removed"));
    });
  const offer = (placement: string) =>
    act(async () => {
      await askSwap(newId(), placement, null);
      say(t("shifts.offered"));
    });

  return (
    <aside ref={panel} className="slot-panel" tabIndex={-1} aria-label={t("shifts.panel")} onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <header>
        <div>
          <strong>{slot.where}</strong> <span>{slot.name}</span>
          <p>
            {longDayName(dayOf(slot.starts_at))}, {hour(slot.starts_at)}–{hour(slot.ends_at)}
          </p>
        </div>
        <CloseButton aria-label={t("shifts.close")} onClick={onClose} />
      </header>
      <ul className="panel-seats">
        {slot.seats.map(({ role, min, max, have }) => (
          <li key={role} data-short={have < min}>
            {t("shifts.seatsOf", { have, min, max, role: roleName(rules, role).toLowerCase() })}
          </li>
        ))}
      </ul>
      <ul className="panel-people">
        {slot.people.map((one) => (
          <li key={one.id}>
            <span>
              {one.name} <small>{roleName(rules, one.role)}</small>
              {one.excused && <small>{t("shifts.excusedFor", { reason: one.reason || t("shifts.reasonKept") })}</small>}
            </span>
            {mayPlan && !over && (
              <span className="panel-acts">
                <Button size="compact-xs" variant="subtle" disabled={busy} onClick={() => void offer(one.id)}>
                  {t("shifts.offer")}
                </Button>
                <Button size="compact-xs" variant="default" disabled={busy} onClick={() => void remove(one.id)} aria-label={t("shifts.removeWho", { name: one.name })}>
                  {t("shifts.remove")}
                </Button>
              </span>
            )}
          </li>
        ))}
        {slot.people.length === 0 && <li>{t("shifts.nobody")}</li>}
      </ul>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      {mayPlan && !over && <Placing slot={slot} wanted={wanted} />}
      {over && <p className="shifts-note">{t("shifts.over")}</p>}
    </aside>
  );
}

function Placing({ slot, wanted }: { slot: ShiftSlot; wanted: string | null }) {
  const { data: rules } = useRules();
  const edition = useEdition("shifts", "staff");
  const open = slot.seats.filter(({ have, max }) => have < max);
  const [role, setRole] = useState(open.find(({ have, min }) => have < min)?.role ?? open[0]?.role ?? "");
  const [words, setWords] = useState("");
  const [held, setHeld] = useState<string | null>(wanted);
  const [reason, setReason] = useState("");
  const { busy, failure, act } = useAct();
  const field = useRef<HTMLInputElement>(null);
  const reasonField = useRef<HTMLInputElement>(null);
  const chosenRole = open.some((seat) => seat.role === role) ? role : (open[0]?.role ?? "");
  const { data } = useQuery({
    queryKey: ["candidates", slot.id, chosenRole, edition],
    queryFn: () => candidates(slot.id, chosenRole),
    enabled: chosenRole !== "",
    placeholderData: keepPreviousData,
  });
  useEffect(() => field.current?.focus(), []);
  useEffect(() => reasonField.current?.focus(), [held]);
  if (!chosenRole) return <p className="shifts-note">{t("shifts.full")}</p>;

  const here = new Set(slot.people.map(({ member_id }) => member_id));
  const found = (data ?? []).filter(({ member_id, name, role: own }) => !here.has(member_id) && plain(`${name} ${roleName(rules, own)}`).includes(plain(words)));
  const free = found.filter(({ refusal }) => !refusal);

  async function put(one: Candidate) {
    if (one.refusal) return;
    if (one.troubles.length > 0 && (held !== one.member_id || !reason.trim())) return setHeld(one.member_id);
    const done = await act(() => place(slot.id, { id: newId(), member_id: one.member_id, role: chosenRole, reason: reason.trim() || undefined }));
    if (!done) return;
    say(t("shifts.placedWho", { name: one.name, where: slot.where }));
    setHeld(null);
    setReason("");
    setWords("");
    field.current?.focus();
  }
  const onEnter = (event: KeyboardEvent) => {
    const first = free[0];
    if (event.key === "Enter" && first) {
      event.preventDefault();
      void put(first);
    }
  };

  return (
    <div className="placing">
      {open.length > 1 && (
        <SegmentedControl size="xs" fullWidth value={chosenRole} onChange={setRole} aria-label={t("shifts.asRole")} data={open.map((seat) => ({ value: seat.role, label: roleName(rules, seat.role) }))} />
      )}
      <TextInput ref={field} size="xs" label={t("shifts.add", { role: roleName(rules, chosenRole).toLowerCase() })} placeholder={t("shifts.filter")} description={t("shifts.enterPlaces")} value={words} onChange={(event) => setWords(event.currentTarget.value)} onKeyDown={onEnter} />
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <ul className="candidates-list">
        {found.slice(0, 40).map((one) => (
          <li key={one.member_id} data-refused={one.refusal !== null}>
            <button type="button" disabled={busy || one.refusal !== null} onClick={() => void put(one)}>
              <strong>{one.name}</strong> <small>{roleName(rules, one.role)}</small>
              {one.refusal && <small className="candidate-why">{inWords(withHours(one.refusal), rules)}</small>}
              {one.troubles.map((trouble, which) => (
                <small key={which} className="candidate-why">
                  <IconAlertTriangle size={12} aria-hidden /> {inWords(trouble, rules)}
                </small>
              ))}
            </button>
            {held === one.member_id && one.troubles.length > 0 && (
              <form
                onSubmit={(event) => {
                  event.preventDefault();
                  void put(one);
                }}
              >
                <TextInput ref={reasonField} size="xs" label={t("shifts.why")} description={t("shifts.whyKept")} value={reason} onChange={(event) => setReason(event.currentTarget.value)} maxLength={200} />
                <Button size="xs" type="submit" disabled={!reason.trim()} loading={busy}>
                  {t("shifts.placeAnyway")}
                </Button>
              </form>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The hours of the other shift, as the clock shows them. */
function withHours(refusal: Candidate["refusal"] & object) {
  const shown = (value: unknown) => (typeof value === "string" ? hour(value) : value);
  return { ...refusal, since: shown(refusal.since), ends: shown(refusal.until), until: null };
}
