import { Button, TextInput } from "@mantine/core";
import { IconBarrierBlock, IconClockPlus } from "@tabler/icons-react";
import type { Placed } from "../lib/board";
import { useDraft } from "../lib/drafts";
import { clock } from "../lib/clock";
import { inForce, PASSING, toCome, untilAt, validity, whoPasses, type Passing } from "../lib/closures";
import { ago, running } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import { closurePassable, closureReason, closureUntil, liftClosure } from "../lib/verbs";
import type { Closure } from "../lib/wire";
import { CardHead } from "./CardHead";
import { Chips } from "./ClosureForm";
import { PastActs } from "./ReplayBar";
import { select } from "./desk";
import { useAct } from "./useAct";

const HOUR = 3_600_000;

/** One closure: why, since and until when, who passes; longer, shorter, lifted. */
export function ClosureCard({ closure }: { closure: Placed<Closure> }) {
  const now = useSecond();
  const may = useMay("closure.draw");
  const past = useInPast();
  const { busy, failure, act } = useAct();
  const [{ edited }, change, discard] = useDraft<{ edited: string | null }>(`closure:${closure.id}`, { edited: null });
  const on = inForce(closure, now);
  const left = closure.valid_until === null ? null : Date.parse(closure.valid_until) - now;
  const over = !on && !toCome(closure, now);
  const groups = (Object.keys(PASSING) as Passing[]).filter((each) => PASSING[each].every((kind) => closure.passable_by.includes(kind)));

  const longer = (hours: number) => {
    const from = Math.max(clock.now(), closure.valid_until === null ? 0 : Date.parse(closure.valid_until));
    return new Date(from + hours * HOUR).toISOString();
  };
  const until = (at: string | null) => void act(() => closureUntil(closure, at)).then((done) => done !== null && say(t("closure.nowUntil", { until: validity(done.properties, clock.now()) })));
  const lift = () =>
    void act(() => liftClosure(closure.id)).then((done) => {
      if (done === null) return;
      select(null);
      say(t("closure.lifted", { reason: closure.reason }));
    });
  const toggle = (one: Passing) => {
    const kinds: readonly string[] = PASSING[one];
    const next = groups.includes(one) ? closure.passable_by.filter((kind) => !kinds.includes(kind)) : [...new Set([...closure.passable_by, ...kinds])];
    void act(() => closurePassable(closure, next));
  };

  return (
    <>
      <CardHead
        mark={<IconBarrierBlock size={24} aria-hidden />}
        title={t(`closure.kind.${closure.kind}`)}
        code={t(over ? "closure.isOver" : on ? "closure.isOn" : "closure.isToCome")}
        place={closure.reason}
        side={on && left !== null && <span className="timer timer-big">{running(left)}</span>}
      />
      <dl className="facts">
        <dt>{t("closure.when")}</dt>
        <dd>
          {validity(closure, now)} {on && <small>{t("closure.began", { ago: ago(closure.valid_from, now) })}</small>}
        </dd>
        <dt>{t("closure.passing")}</dt>
        <dd>{whoPasses(closure.passable_by)}</dd>
        <dt>{t("closure.by")}</dt>
        <dd>{closure.drawn_by}</dd>
      </dl>
      {past && <PastActs acts={[t("closure.plusHour"), t("closure.lift")]} />}
      {may && !over && (
        <>
          <section className="card-section">
            <h3>{t("closure.extend")}</h3>
            <div className="form-buttons">
              <Button size="sm" variant="default" loading={busy} leftSection={<IconClockPlus size={16} />} onClick={() => until(longer(1))}>
                {t("closure.plusHour")}
              </Button>
              <Button size="sm" variant="default" loading={busy} leftSection={<IconClockPlus size={16} />} onClick={() => until(longer(4))}>
                {t("closure.plusFour")}
              </Button>
              <Button size="sm" variant="default" loading={busy} onClick={() => until(new Date(untilAt("morning", clock.now()) ?? 0).toISOString())}>
                {t("closure.untilMorning")}
              </Button>
              {closure.valid_until !== null && (
                <Button size="sm" variant="subtle" color="gray" loading={busy} onClick={() => until(null)}>
                  {t("closure.untils.open")}
                </Button>
              )}
            </div>
          </section>
          <section className="card-section">
            <Chips legend={t("closure.passing")} all={Object.keys(PASSING) as Passing[]} chosen={groups} label={(each) => t(`closure.pass.${each}`)} onChoose={toggle} />
          </section>
          <section className="card-section">
            <h3>{t("closure.reason")}</h3>
            <form
              className="new-note new-note-low"
              onSubmit={(event) => {
                event.preventDefault();
                const words = edited?.trim();
                if (words && words !== closure.reason) void act(() => closureReason(closure, words)).then((done) => done !== null && discard());
              }}
            >
              <TextInput aria-label={t("closure.reason")} description={t("closure.reasonHint")} value={edited ?? closure.reason} maxLength={200} onChange={(event) => change({ edited: event.currentTarget.value })} />
              <Button type="submit" size="sm" variant="default" disabled={!edited?.trim() || edited.trim() === closure.reason} loading={busy}>
                {t("closure.save")}
              </Button>
            </form>
          </section>
          <section className="card-section card-actions">
            <HoldButton label={t("closure.lift")} disabled={busy} onHeld={lift} />
          </section>
        </>
      )}
      {failure && (
        <p className="form-failure card-empty" role="alert">
          {failure}
        </p>
      )}
    </>
  );
}
