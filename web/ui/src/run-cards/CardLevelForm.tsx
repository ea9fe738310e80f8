import { IconPlus, IconX } from "@tabler/icons-react";
import { useId, type ReactNode } from "react";
import { newId } from "../lib/api";
import { useCatalogue } from "../lib/catalogue";
import { t } from "../lib/i18n";
import { useCapabilities } from "../lib/resources";
import type { CardLevel, CardNeed, CardTask, MessageTo, NeedKind } from "../lib/wire";

const KINDS: NeedKind[] = ["required", "preferred", "reserve"];
const HEARERS: MessageTo[] = ["crew", "desk", "caller", "vecinal"];
const MOST = 20;

interface Props {
  number: number;
  level: CardLevel;
  disabled: boolean;
  onChange: (level: CardLevel) => void;
  onRemove?: () => void;
}

/** What one alarm level adds. Every field is a plain control: Tab goes through, arrows count and choose. */
export function CardLevelForm({ number, level, disabled, onChange, onRemove }: Props) {
  const capabilities = useCapabilities().filter(({ code, retired_at }) => retired_at === null || level.needs.some(({ capability }) => capability === code));
  const { agencies } = useCatalogue();
  const put = <P extends keyof CardLevel>(part: P, things: CardLevel[P]) => onChange({ ...level, [part]: things });
  const free = agencies.find(({ code }) => !level.agencies.some(({ agency }) => agency === code));
  return (
    <fieldset className="level" disabled={disabled}>
      <legend>
        {t(number === 1 ? "runCards.firstLevel" : "runCards.level", { n: number })}
        {onRemove && <Remove what={t("runCards.level", { n: number })} onClick={onRemove} />}
      </legend>

      <Part title={t("runCards.needs")} add={t("runCards.addNeed")} full={level.needs.length >= MOST} onAdd={() => put("needs", [...level.needs, { capability: capabilities[0]?.code ?? "GUM", count: 1, kind: "required", at_least: null }])}>
        {level.needs.map((need, index) => {
          const of = (next: Partial<CardNeed>) => put("needs", level.needs.map((each, place) => (place === index ? { ...each, ...next } : each)));
          const known = capabilities.find(({ code }) => code === need.capability);
          return (
            <li key={index} className={`line line-need need-${need.kind}`}>
              <select aria-label={t("runCards.capability")} value={need.capability} onChange={(event) => of({ capability: event.currentTarget.value, at_least: null })}>
                {!known && <option value={need.capability}>{need.capability}</option>}
                {capabilities.map(({ code, name }) => (
                  <option key={code} value={code}>
                    {name}
                  </option>
                ))}
              </select>
              <Stepper label={t("runCards.count")} value={need.count} onChange={(count) => of({ count })} />
              <select aria-label={t("runCards.weight")} value={need.kind} onChange={(event) => of({ kind: event.currentTarget.value as NeedKind })}>
                {KINDS.map((kind) => (
                  <option key={kind} value={kind}>
                    {t(`runCards.kind.${kind}`)}
                  </option>
                ))}
              </select>
              {known?.measure && (
                <label className="at-least">
                  {t("runCards.least")}
                  <input type="number" min={0} value={need.at_least ?? ""} onChange={(event) => of({ at_least: Number(event.currentTarget.value) || null })} />
                  {known.measure}
                </label>
              )}
              <Remove what={known?.name ?? need.capability} onClick={() => put("needs", level.needs.filter((_, place) => place !== index))} />
            </li>
          );
        })}
      </Part>

      <Part title={t("runCards.agencies")} add={t("runCards.addAgency")} full={!free} onAdd={() => free && put("agencies", [...level.agencies, { agency: free.code, count: 1, note: "" }])}>
        {level.agencies.map((ask, index) => {
          const of = (next: Partial<typeof ask>) => put("agencies", level.agencies.map((each, place) => (place === index ? { ...each, ...next } : each)));
          return (
            <li key={index} className="line">
              <select aria-label={t("runCards.agency")} value={ask.agency} onChange={(event) => of({ agency: event.currentTarget.value })}>
                {agencies.map(({ code, name, phone }) => (
                  <option key={code} value={code} disabled={code !== ask.agency && level.agencies.some(({ agency }) => agency === code)}>
                    {phone ? `${name} · ${phone}` : name}
                  </option>
                ))}
              </select>
              <Stepper label={t("runCards.count")} value={ask.count} onChange={(count) => of({ count })} />
              <input className="grow" aria-label={t("runCards.askNote")} placeholder={t("runCards.askNote")} maxLength={200} value={ask.note} onChange={(event) => of({ note: event.currentTarget.value })} />
              <Remove what={agencies.find(({ code }) => code === ask.agency)?.name ?? ask.agency} onClick={() => put("agencies", level.agencies.filter((_, place) => place !== index))} />
            </li>
          );
        })}
      </Part>

      <Part title={t("runCards.tasks")} add={t("runCards.addTask")} full={level.tasks.length >= MOST} onAdd={() => put("tasks", [...level.tasks, { key: freshKey(), text: "", within_minutes: null, checklist: [] }])}>
        {level.tasks.map((task, index) => {
          const of = (next: Partial<CardTask>) => put("tasks", level.tasks.map((each, place) => (place === index ? { ...each, ...next } : each)));
          return (
            <li key={task.key} className="line line-task">
              <input className="grow" aria-label={t("runCards.taskText")} placeholder={t("runCards.taskText")} maxLength={200} value={task.text} onChange={(event) => of({ text: event.currentTarget.value })} />
              <label className="at-least">
                {t("runCards.within")}
                <input type="number" min={1} max={10080} value={task.within_minutes ?? ""} onChange={(event) => of({ within_minutes: Number(event.currentTarget.value) || null })} />
                {t("runCards.minutes")}
              </label>
              <Remove what={task.text || t("runCards.taskText")} onClick={() => put("tasks", level.tasks.filter((_, place) => place !== index))} />
              <Steps task={task} onChange={(checklist) => of({ checklist })} />
            </li>
          );
        })}
      </Part>

      <Part title={t("runCards.messages")} add={t("runCards.addMessage")} full={level.messages.length >= MOST} onAdd={() => put("messages", [...level.messages, { to: "crew", text: "" }])}>
        {level.messages.map((message, index) => {
          const of = (next: Partial<typeof message>) => put("messages", level.messages.map((each, place) => (place === index ? { ...each, ...next } : each)));
          return (
            <li key={index} className="line">
              <select aria-label={t("runCards.hearer")} value={message.to} onChange={(event) => of({ to: event.currentTarget.value as MessageTo })}>
                {HEARERS.map((to) => (
                  <option key={to} value={to}>
                    {t(`tasks.to.${to}`)}
                  </option>
                ))}
              </select>
              <input className="grow" aria-label={t("runCards.messageText")} placeholder={t("runCards.messageText")} maxLength={200} value={message.text} onChange={(event) => of({ text: event.currentTarget.value })} />
              <Remove what={message.text || t("runCards.messageText")} onClick={() => put("messages", level.messages.filter((_, place) => place !== index))} />
            </li>
          );
        })}
      </Part>
    </fieldset>
  );
}

function Part({ title, add, full, onAdd, children }: { title: string; add: string; full: boolean; onAdd: () => void; children: ReactNode[] }) {
  return (
    <section className="level-part">
      <h4>{title}</h4>
      {children.length > 0 && <ul>{children}</ul>}
      {!full && (
        <button type="button" className="link-button" onClick={onAdd}>
          <IconPlus size={14} aria-hidden /> {add}
        </button>
      )}
    </section>
  );
}

function Stepper({ label, value, onChange }: { label: string; value: number; onChange: (count: number) => void }) {
  return (
    <span className="stepper">
      <button type="button" tabIndex={-1} aria-label={t("runCards.fewer")} disabled={value <= 1} onClick={() => onChange(value - 1)}>
        {"−"}
      </button>
      <input type="number" min={1} max={MOST} aria-label={label} value={value} onChange={(event) => onChange(Math.min(MOST, Math.max(1, Math.round(Number(event.currentTarget.value)) || 1)))} />
      <button type="button" tabIndex={-1} aria-label={t("runCards.more")} disabled={value >= MOST} onClick={() => onChange(value + 1)}>
        {"+"}
      </button>
    </span>
  );
}

/** A line for each step, as one writes a list. */
function Steps({ task, onChange }: { task: CardTask; onChange: (steps: string[]) => void }) {
  const id = useId();
  return (
    <label className="steps-field" htmlFor={id}>
      <small>{t("runCards.steps")}</small>
      <textarea
        id={id}
        rows={Math.max(1, task.checklist.length)}
        value={task.checklist.join("\n")}
        onChange={(event) => onChange(event.currentTarget.value.split("\n").slice(0, MOST).map((step) => step.slice(0, 200)))}
        onBlur={() => onChange(task.checklist.map((step) => step.trim()).filter(Boolean))}
      />
    </label>
  );
}

function Remove({ what, onClick }: { what: string; onClick: () => void }) {
  return (
    <button type="button" className="line-remove" aria-label={t("runCards.remove", { what })} title={t("runCards.remove", { what })} onClick={onClick}>
      <IconX size={15} />
    </button>
  );
}

/** A task is known by its key when editions are compared and when it is opened twice: never used again, never changed. */
const freshKey = (): string => `t-${newId().slice(-10)}`;
