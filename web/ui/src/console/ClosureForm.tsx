import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconBarrierBlock, IconCrosshair, IconMapPin, IconPencil } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { newId } from "../lib/api";
import { clock } from "../lib/clock";
import { KINDS, PASSING, UNTILS, untilAt, type Passing, type Until } from "../lib/closures";
import { useDraft } from "../lib/drafts";
import { hour } from "../lib/format";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useLink } from "../lib/live";
import type { Tool } from "../lib/map/drawing";
import { around, cornersOf } from "../lib/shapes";
import { say } from "../lib/toasts";
import { drawClosure, type LonLat } from "../lib/verbs";
import type { ClosureKind, Shape } from "../lib/wire";
import { CardHead } from "./CardHead";
import { openForm, select, stage, useDesk } from "./desk";
import { dropStroke, finishStroke, putCorner, putPenDown, takeCornerBack, takePen, usePen } from "./pen";
import { useAct } from "./useAct";

interface Draft {
  id: string;
  tool: Tool;
  shape: Shape | null;
  /** Corners of a stroke that is not finished. */
  stroke?: LonLat[];
  kind: ClosureKind;
  reason: string;
  until: Until;
  passing: Passing[];
}

const TOOLS: Tool[] = ["line", "point", "polygon"];
const CORNER = 25; // metres: all streets that meet there, and no house's width more
/** Whoever marks a corner means the whole crossing; a bare point would close one of its streets. */
const crossing = (shape: Shape): Shape => (shape.type === "Point" ? around(shape.coordinates as LonLat, CORNER) : shape);
const blank = (): Draft => ({ id: newId(), tool: "line", shape: null, kind: "closed", reason: "", until: "four", passing: ["emergency"] });

/** What the next form begins with, when it is opened for water. */
let flood = false;
export const drawFlood = (): void => {
  flood = true;
};

/** `B`: draw where nobody gets through, then why, until when, and who may pass. Closed when the server said so, not before. */
export function ClosureForm() {
  const start = useMemo(blank, []);
  const [draft, change, discard] = useDraft<Draft>("closure", start);
  const { busy, failure, act, setFailure } = useAct();
  const { tool, corners, asked } = usePen((state) => state);
  const mapReady = useDesk((state) => state.mapReady);
  const selected = useDesk((state) => state.selected);
  const offline = useLink((state) => state.name === "offline");
  const [wanted, setWanted] = useState<Tool | null>(null);
  const reason = useRef<HTMLInputElement>(null);
  const latest = useRef(draft);
  useEffect(() => {
    latest.current = draft;
  });

  const setShape = (drawn: Shape | null) => {
    const shape = drawn && crossing(drawn);
    change({ shape, stroke: [] });
    stage.map?.sketch(shape);
    if (shape) reason.current?.focus();
  };
  const begin = (next: Tool) => {
    setWanted(null);
    change({ tool: next, shape: null, stroke: [] });
    stage.map?.sketch(null);
    takePen(next, setShape);
  };
  const choose = (next: Tool) => {
    const standing = corners.length > 1 || (draft.shape !== null && draft.tool !== "point");
    if (next !== draft.tool && standing) setWanted(next);
    else begin(next);
  };

  useEffect(() => {
    if (!mapReady) return;
    if (flood && !latest.current.shape) {
      change({ kind: "flooded", tool: "polygon", stroke: [] });
      latest.current = { ...latest.current, kind: "flooded", tool: "polygon", stroke: [] };
    }
    flood = false;
    const { shape, tool: kept, stroke } = latest.current;
    if (shape) stage.map?.sketch(shape);
    else takePen(kept, setShape, stroke);
    return () => {
      putPenDown();
      stage.map?.sketch(null);
    };
    // Once, when the form opens over a map that is there.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [mapReady]);

  // Corners that stand outlive a reload, like the words.
  useEffect(() => {
    if (tool !== null) change({ stroke: corners });
  }, [tool, corners, change]);

  const leave = () => {
    if (wanted) setWanted(null);
    else if (!dropStroke()) openForm(null);
  };
  useKey("escape", leave);
  useKey("enter", finishStroke, tool !== null);
  useKey("backspace", takeCornerBack, tool !== null);
  useKey(" ", putCorner, tool !== null);

  const incident = selected ? board.get<object>(selected)?.at : null;
  const putPoint = (at: LonLat | null | undefined) => {
    if (!at) return;
    putPenDown();
    change({ tool: "point" });
    setShape({ type: "Point", coordinates: at });
  };

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (busy) return;
    if (!draft.shape) return setFailure(t(corners.length > 0 ? "closure.needsEnd" : "closure.needsShape"));
    if (!draft.reason.trim()) {
      setFailure(t("closure.needsReason"));
      return reason.current?.focus();
    }
    const { id, kind, shape } = draft;
    const until = untilAt(draft.until, clock.now());
    const passable_by = [...new Set(draft.passing.flatMap((each) => PASSING[each] as readonly string[]))];
    const made = await act(() => drawClosure({ id, kind, reason: draft.reason.trim(), shape, passable_by, valid_until: until === null ? null : new Date(until).toISOString() }));
    if (!made) return;
    discard();
    change(blank());
    say(t("closure.done", { reason: made.properties.reason }));
    openForm(null);
    if (!selected) select(made.properties.subject);
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void submit();
    }
  };
  const toggle = (one: Passing) => change({ passing: draft.passing.includes(one) ? draft.passing.filter((each) => each !== one) : one === "emergency" ? ["emergency"] : [...draft.passing.filter((each) => each !== "emergency"), one] });

  return (
    <>
      <CardHead mark={<IconBarrierBlock size={24} aria-hidden />} title={t("closure.newTitle")} code={t("closure.newHint")} onClose={() => openForm(null)} />
      <form className="card-form" onSubmit={(event) => void submit(event)} onKeyDown={onKeyDown} noValidate>
        <fieldset className="chips-field">
          <legend>{t("closure.what")}</legend>
          <SegmentedControl fullWidth value={draft.tool} onChange={(next) => choose(next as Tool)} data={TOOLS.map((each) => ({ value: each, label: t(`closure.tool.${each}`) }))} />
        </fieldset>
        {wanted && (
          <p className="ask-line" role="alert">
            {t("closure.askDrop")}
            <button type="button" className="link-button" onClick={() => begin(wanted)}>
              {t("closure.dropIt")}
            </button>
            <button type="button" className="link-button" onClick={() => setWanted(null)}>
              {t("closure.keepIt")}
            </button>
          </p>
        )}
        <div className={`point-line${draft.shape ? "" : " point-line-missing"}`}>
          <IconMapPin size={17} aria-hidden />
          <span>{draft.shape ? t(`closure.drawn.${draft.tool}`, { count: cornersOf(draft.shape).length, metres: CORNER }) : tool ? t(asked ? "closure.askEsc" : `closure.draw.${draft.tool}`) : t(mapReady ? `closure.draw.${draft.tool}` : "closure.noMap")}</span>
          {draft.shape && mapReady && (
            <button type="button" className="link-button" onClick={() => begin(draft.tool)}>
              <IconPencil size={15} aria-hidden /> {t("closure.again")}
            </button>
          )}
        </div>
        <div className="point-line point-choices">
          {incident && (
            <button type="button" className="link-button" onClick={() => putPoint(incident)}>
              <IconMapPin size={15} aria-hidden /> {t("closure.atIncident")}
            </button>
          )}
          {mapReady && (
            <button type="button" className="link-button" onClick={() => putPoint(stage.map?.centre())}>
              <IconCrosshair size={15} aria-hidden /> {t("closure.atCentre")}
            </button>
          )}
        </div>
        <Chips legend={t("closure.why")} name="closure-kind" all={KINDS} chosen={[draft.kind]} label={(kind) => t(`closure.kind.${kind}`)} onChoose={(kind) => change({ kind })} />
        <TextInput
          ref={reason}
          label={t("closure.reason")}
          description={t("closure.reasonHint")}
          placeholder={t("closure.reasonExample")}
          value={draft.reason}
          maxLength={200}
          onChange={(event) => change({ reason: event.currentTarget.value })}
        />
        <Chips
          legend={t("closure.until")}
          name="closure-until"
          all={UNTILS}
          chosen={[draft.until]}
          label={(until) => t(`closure.untils.${until}`, { hour: until === "morning" ? hour(untilAt("morning", clock.now()) ?? 0) : "" })}
          onChoose={(until) => change({ until })}
        />
        <Chips legend={t("closure.passing")} all={Object.keys(PASSING) as Passing[]} chosen={draft.passing} label={(each) => t(`closure.pass.${each}`)} onChoose={toggle} />
        {draft.passing.length === 0 && <p className="hint">{t("closure.nobodyHint")}</p>}
        {offline && <p className="form-failure">{t("closure.offline")}</p>}
        {failure && (
          <p className="form-failure" role="alert">
            {failure}
          </p>
        )}
        <div className="form-buttons">
          <Button type="submit" loading={busy} leftSection={<IconBarrierBlock size={16} />}>
            {t("closure.send")} <kbd>{"Ctrl ↵"}</kbd>
          </Button>
          <Button variant="subtle" color="gray" onClick={() => openForm(null)}>
            {t("action.leaveForLater")} <kbd>{"Esc"}</kbd>
          </Button>
          <button
            type="button"
            className="link-button form-discard"
            onClick={() => {
              discard();
              change(blank());
              begin("line");
            }}
          >
            {t("form.clear")}
          </button>
        </div>
      </form>
    </>
  );
}

/** A few words to choose from: radios where one counts (`name`), switches where several do. */
export function Chips<T extends string>({ legend, name, all, chosen, label, onChoose }: { legend: string; name?: string; all: readonly T[]; chosen: readonly T[]; label: (one: T) => string; onChoose: (one: T) => void }) {
  return (
    <fieldset className="chips-field">
      <legend>{legend}</legend>
      <div className="chips">
        {all.map((one) => (
          <label key={one} className={chosen.includes(one) ? "chip chip-on" : "chip"}>
            <input type={name ? "radio" : "checkbox"} name={name} checked={chosen.includes(one)} onChange={() => onChoose(one)} />
            {label(one)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
