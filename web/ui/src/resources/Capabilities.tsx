import { Button, NumberInput, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "../console/useAct";
import { t } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { addCapability, amendCapability, useCapabilities } from "../lib/resources";
import { useMay } from "../lib/session";
import type { Capability } from "../lib/wire";
import "./resources.css";

/** What units can do, and what it takes. */
export function Capabilities() {
  useBoard();
  const may = useMay("unit.manage");
  const all = useCapabilities();
  const [open, setOpen] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const having = new Map<string, number>();
  for (const unit of board.units()) for (const code of unit.capabilities) having.set(code, (having.get(code) ?? 0) + 1);
  return (
    <section className="split-list">
      <div className="book-tools">
        <p className="hint">{t("resources.capability.hint")}</p>
        <span className="top-spacer" />
        {may && (
          <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
            {t("resources.capability.new")}
          </Button>
        )}
      </div>
      {adding && <NewCapability onClose={() => setAdding(false)} />}
      <table className="book">
        <thead>
          <tr>
            <th>{t("resources.capability.code")}</th>
            <th>{t("resources.capability.name")}</th>
            <th className="wide-only">{t("resources.capability.description")}</th>
            <th>{t("resources.capability.measure")}</th>
            <th>{t("resources.capability.crew")}</th>
            <th>{t("resources.capability.units")}</th>
            {may && <th aria-label={t("resources.capability.edit")} />}
          </tr>
        </thead>
        <tbody>
          {all.map((one) =>
            open === one.code ? (
              <tr key={one.code}>
                <td colSpan={7}>
                  <Edit capability={one} onClose={() => setOpen(null)} />
                </td>
              </tr>
            ) : (
              <tr key={one.code} className={one.retired_at ? "retired" : undefined}>
                <td>
                  <span className="chip">{one.code}</span>
                </td>
                <td>
                  {one.name} {one.retired_at && <small>{t("resources.capability.isRetired")}</small>}
                </td>
                <td className="wide-only">{one.description}</td>
                <td>{one.measure ?? t("resources.none")}</td>
                <td>{one.crew.length ? one.crew.map(({ role, count, credential }) => `${count} ${role}${credential ? ` (${credential})` : ""}`).join(", ") : t("resources.none")}</td>
                <td className="number">{having.get(one.code) ?? 0}</td>
                {may && (
                  <td>
                    <Button size="compact-xs" variant="subtle" aria-label={t("resources.change", { what: one.code })} onClick={() => setOpen(one.code)}>
                      {t("resources.capability.edit")}
                    </Button>
                  </td>
                )}
              </tr>
            ),
          )}
        </tbody>
      </table>
    </section>
  );
}

function NewCapability({ onClose }: { onClose: () => void }) {
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [measure, setMeasure] = useState("");
  const [description, setDescription] = useState("");
  const { busy, failure, act } = useAct();
  const add = () => void act(() => addCapability({ code: code.trim(), name, description, measure: measure.trim() || null })).then((made) => made && onClose());
  return (
    <form
      className="sheet-grid framed"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <TextInput autoFocus required maxLength={40} label={t("resources.capability.code")} value={code} onChange={(event) => setCode(event.currentTarget.value)} />
      <TextInput required maxLength={200} label={t("resources.capability.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput maxLength={20} label={t("resources.capability.measure")} placeholder={t("resources.capability.measureHint")} value={measure} onChange={(event) => setMeasure(event.currentTarget.value)} />
      <TextInput maxLength={2000} label={t("resources.capability.description")} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
      <Ending busy={busy} failure={failure} onClose={onClose} label={t("resources.add")} />
    </form>
  );
}

function Edit({ capability, onClose }: { capability: Capability; onClose: () => void }) {
  const [name, setName] = useState(capability.name);
  const [measure, setMeasure] = useState(capability.measure ?? "");
  const [description, setDescription] = useState(capability.description);
  const [crew, setCrew] = useState(capability.crew);
  const { busy, failure, act } = useAct();
  const put = (index: number, part: Partial<Capability["crew"][number]>) => setCrew(crew.map((need, at) => (at === index ? { ...need, ...part } : need)));
  // Field by field, each on what the one before it left.
  const save = () =>
    void act(async () => {
      let held = capability;
      const change = async (field: string, body: object, changed: boolean) => {
        if (changed) held = (await amendCapability(held, field, body)) as Capability;
      };
      await change("name", { name }, name !== held.name);
      await change("description", { description }, description !== held.description);
      await change("measure", { measure: measure.trim() || null }, measure.trim() !== (held.measure ?? ""));
      const needs = crew.filter(({ role }) => role.trim()).map(({ role, count, credential }) => ({ role: role.trim(), count, credential: credential?.trim() || null }));
      await change("crew", { crew: needs }, JSON.stringify(needs) !== JSON.stringify(held.crew));
      return true;
    }).then((done) => done && onClose());
  return (
    <form
      className="sheet-grid framed"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <TextInput autoFocus required maxLength={200} label={t("resources.capability.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <TextInput maxLength={20} label={t("resources.capability.measure")} placeholder={t("resources.capability.measureHint")} value={measure} onChange={(event) => setMeasure(event.currentTarget.value)} />
      <TextInput className="wide" maxLength={2000} label={t("resources.capability.description")} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
      <fieldset className="wide">
        <legend>{t("resources.capability.crew")}</legend>
        {[...crew, { role: "", count: 1, credential: null }].map((need, index) => (
          <div key={index} className="sheet-line">
            <NumberInput size="xs" w={56} min={1} max={50} hideControls aria-label={t("resources.capability.count")} value={need.count} onChange={(count) => index < crew.length && put(index, { count: Number(count) || 1 })} />
            <TextInput
              size="xs"
              maxLength={40}
              placeholder={t("resources.capability.role")}
              aria-label={t("resources.capability.role")}
              value={need.role}
              onChange={(event) => {
                const role = event.currentTarget.value;
                if (index < crew.length) put(index, { role });
                else setCrew([...crew, { role, count: 1, credential: null }]);
              }}
            />
            <TextInput size="xs" maxLength={40} placeholder={t("resources.capability.credential")} aria-label={t("resources.capability.credential")} value={need.credential ?? ""} onChange={(event) => index < crew.length && put(index, { credential: event.currentTarget.value })} />
          </div>
        ))}
      </fieldset>
      <Ending busy={busy} failure={failure} onClose={onClose} label={t("resources.save")}>
        <Button size="xs" variant="default" onClick={() => void act(() => amendCapability(capability, capability.retired_at ? "restore" : "retire", {})).then((done) => done && onClose())}>
          {t(capability.retired_at ? "resources.capability.restore" : "resources.capability.retire")}
        </Button>
      </Ending>
    </form>
  );
}

function Ending({ busy, failure, onClose, label, children }: { busy: boolean; failure: string | null; onClose: () => void; label: string; children?: React.ReactNode }) {
  return (
    <div className="sheet-buttons wide">
      <Button size="xs" type="submit" loading={busy}>
        {label}
      </Button>
      <Button size="xs" variant="subtle" onClick={onClose}>
        {t("resources.cancel")}
      </Button>
      {children}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </div>
  );
}
