import { Button, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAct } from "../console/useAct";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { acceptSwap, approveSwap, rejectSwap } from "../lib/verbs";
import type { Swap } from "../lib/wire";
import "./shifts.css";
import { dayOf, longDayName, useStaff, useSwaps } from "./useStaff";

const OPEN = new Set(["asked", "accepted"]);

/** Who offers a shift, who takes it, and who says yes. */
export function Swaps() {
  const may = useMay("shift.manage");
  const { data: swaps } = useSwaps();
  if (!may) return <p className="shifts-note">{t("shifts.swaps.notYours")}</p>;
  const open = (swaps ?? []).filter(({ state }) => OPEN.has(state));
  const over = (swaps ?? []).filter(({ state }) => !OPEN.has(state));
  return (
    <div className="swaps shifts-scroll">
      <h2>{t("shifts.swaps.open", { count: open.length })}</h2>
      {swaps && open.length === 0 && <p className="shifts-note">{t("shifts.swaps.none")}</p>}
      <ul className="sheet-list">
        {open.map((swap) => (
          <Row key={swap.id} swap={swap} />
        ))}
      </ul>
      {over.length > 0 && <h2>{t("shifts.swaps.over")}</h2>}
      <ul className="sheet-list">
        {over.map((swap) => (
          <li key={swap.id} data-away>
            <What swap={swap} />
            <span>
              {t(`shifts.swapState.${swap.state}`)}
              <small>{swap.decided_by}</small>
              {swap.decided_for && <small>{swap.decided_for}</small>}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function What({ swap }: { swap: Swap }) {
  return (
    <span>
      <strong>{swap.from.name}</strong> {t("shifts.swaps.gives", { to: swap.to?.name ?? t("shifts.swaps.anybody") })}
      <small>
        {swap.where} · {longDayName(dayOf(swap.slot.starts_at))}, {hour(swap.slot.starts_at)}–{hour(swap.slot.ends_at)}
      </small>
      {swap.reason && <small>{swap.reason}</small>}
    </span>
  );
}

function Row({ swap }: { swap: Swap }) {
  const { data: members } = useStaff();
  const { busy, failure, act } = useAct();
  const [taker, setTaker] = useState<string | null>(swap.to?.id ?? null);
  const [reason, setReason] = useState("");
  const done = (work: () => Promise<unknown>, words: string) =>
    act(async () => {
      await work();
      say(words);
    });
  return (
    <li>
      <What swap={swap} />
      <span className="swap-acts">
        <em>{t(`shifts.swapState.${swap.state}`)}</em>
        {swap.state === "asked" ? (
          <>
            <Select size="xs" searchable aria-label={t("shifts.swaps.taker")} placeholder={t("shifts.swaps.taker")} nothingFoundMessage={t("shifts.nobody")} data={(members ?? []).filter(({ id, status }) => id !== swap.from.id && status === "active").map(({ id, name }) => ({ value: id, label: name }))} value={taker} onChange={setTaker} />
            <Button size="xs" variant="default" disabled={!taker} loading={busy} onClick={() => taker && void done(() => acceptSwap(swap.id, taker), t("shifts.swaps.accepted"))}>
              {t("shifts.swaps.accept")}
            </Button>
          </>
        ) : (
          <>
            <TextInput size="xs" aria-label={t("shifts.why")} placeholder={t("shifts.swaps.reason")} value={reason} maxLength={200} onChange={(event) => setReason(event.currentTarget.value)} />
            <Button size="xs" loading={busy} onClick={() => void done(() => approveSwap(swap.id, reason.trim()), t("shifts.swaps.approved"))}>
              {t("shifts.swaps.approve")}
            </Button>
          </>
        )}
        <Button size="xs" variant="default" disabled={busy} onClick={() => void done(() => rejectSwap(swap.id, reason.trim()), t("shifts.swaps.rejected"))}>
          {t("shifts.swaps.reject")}
        </Button>
      </span>
      {failure && <p className="form-failure" role="alert">{failure}</p>}
    </li>
  );
}
