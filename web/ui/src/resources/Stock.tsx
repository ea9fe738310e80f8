import { Button, CloseButton, Modal, NumberInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { ago, stamp } from "../lib/format";
import { LOCALE, t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { addStock, amendStock, moveStock, removeStock, useFacilities, useMoves, useStock } from "../lib/resources";
import { useMay, useSession } from "../lib/session";
import { say } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import type { StockItem, StockMove } from "../lib/wire";
import { Field } from "./Field";
import "./resources.css";

const plain = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });

/** What there is of everything, and what runs low. */
export function Stock() {
  const { person } = useSession();
  const mayAll = useMay("facility.update");
  const may = mayAll || person.role === "agency"; // an agency sees its own and nothing else here
  const { data: all = [], error, isPending } = useStock();
  const [filter, setFilter] = useState("");
  const [selected, setSelected] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const now = useSecond();
  const wanted = filter.trim().toLowerCase();
  const shown = all.filter(({ item, facility }) => `${item} ${facility ?? ""}`.toLowerCase().includes(wanted));
  const low = all.filter((one) => one.low).length;
  const item = all.find(({ id }) => id === selected);
  return (
    <div className={item ? "split split-open" : "split"}>
      <section className="split-list">
        <div className="book-tools">
          <TextInput size="sm" className="book-filter" placeholder={t("resources.stock.filter")} aria-label={t("resources.stock.filter")} value={filter} onChange={(event) => setFilter(event.currentTarget.value)} />
          <p className="book-count" role="status">
            {t("resources.stock.low", { count: low })}
          </p>
          <span className="top-spacer" />
          {may && (
            <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>
              {t("resources.stock.new")}
            </Button>
          )}
        </div>
        {error && <p className="form-failure">{t("resources.stock.failed")}</p>}
        {!isPending && !error && shown.length === 0 && <p className="book-empty">{all.length === 0 ? t("resources.stock.nobody") : t("resources.unit.noMatch")}</p>}
        {shown.length > 0 && (
          <table className="book book-rows">
            <thead>
              <tr>
                <th>{t("resources.stock.item")}</th>
                <th className="number">{t("resources.stock.quantity")}</th>
                <th className="number">{t("resources.stock.minimum")}</th>
                <th>{t("resources.stock.facility")}</th>
                <th className="wide-only">{t("resources.stock.moved")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.id} aria-selected={one.id === selected} onClick={() => setSelected(one.id)}>
                  <td>
                    <button type="button" className="row-button" onClick={() => setSelected(one.id)}>
                      {one.item}
                    </button>
                    {one.low && <span className="paper paper-out">{t("resources.stock.isLow")}</span>}
                  </td>
                  <td className="number">
                    <strong>{plain.format(one.quantity)}</strong> <small>{one.unit}</small>
                  </td>
                  <td className="number">{plain.format(one.minimum)}</td>
                  <td>{one.facility}</td>
                  <td className="wide-only">{ago(one.updated_at, now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {item && <StockSheet key={item.id} item={item} may={may} onClose={() => setSelected(null)} />}
      {adding && <NewStock onClose={() => setAdding(false)} />}
    </div>
  );
}

const MOVES: StockMove["kind"][] = ["out", "in", "adjust"];

function StockSheet({ item, may, onClose }: { item: StockItem; may: boolean; onClose: () => void }) {
  const now = useSecond();
  const { data: moves = [] } = useMoves(item);
  const [kind, setKind] = useState<StockMove["kind"]>("out");
  const [quantity, setQuantity] = useState<number | string>("");
  const [reason, setReason] = useState("");
  const [id, setId] = useState(newId);
  const [minimum, setMinimum] = useState<number | string>(item.minimum);
  const { busy, failure, act } = useAct();
  const move = () =>
    void act(() => moveStock(item.id, id, kind, Number(quantity), reason)).then((moved) => {
      if (!moved) return;
      say(t("resources.stock.now", { item: moved.item, n: plain.format(moved.quantity), unit: moved.unit }));
      setId(newId());
      setQuantity("");
      setReason("");
    });
  return (
    <aside className="sheet" aria-label={item.item}>
      <header className="sheet-head">
        <div>
          <h2>{item.item}</h2>
          <p>
            {plain.format(item.quantity)} {item.unit} · {item.facility}
          </p>
        </div>
        <CloseButton aria-label={t("resources.close")} onClick={onClose} />
      </header>
      {may && (
        <section className="sheet-section">
          <form
            className="sheet-grid"
            onSubmit={(event) => {
              event.preventDefault();
              move();
            }}
          >
            <SegmentedControl className="wide" size="xs" data={MOVES.map((value) => ({ value, label: t(`resources.stock.move.${value}`) }))} value={kind} onChange={(value) => setKind(value as StockMove["kind"])} />
            <NumberInput required min={0} max={1_000_000} decimalScale={2} decimalSeparator="," hideControls label={t("resources.stock.howMuch", { unit: item.unit })} value={quantity} onChange={setQuantity} />
            <TextInput maxLength={200} label={t("resources.stock.reason")} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
            <div className="sheet-buttons wide">
              <Button size="xs" type="submit" disabled={quantity === ""} loading={busy}>
                {t(`resources.stock.do.${kind}`)}
              </Button>
            </div>
          </form>
          {failure && (
            <p className="form-failure" role="alert">
              {failure}
            </p>
          )}
        </section>
      )}
      <dl className="sheet-fields">
        <Field label={t("resources.stock.minimum")} may={may} onOpen={() => setMinimum(item.minimum)} onSave={() => amendStock(item, { minimum: Number(minimum) || 0 })} edit={() => <NumberInput autoFocus min={0} max={1_000_000} decimalScale={2} decimalSeparator="," hideControls aria-label={t("resources.stock.minimum")} value={minimum} onChange={setMinimum} />}>
          {plain.format(item.minimum)}
        </Field>
      </dl>
      <section className="sheet-section">
        <h3>{t("resources.stock.moves")}</h3>
        <table className="book">
          <tbody>
            {moves.map((one) => (
              <tr key={one.id}>
                <td>{stamp(one.at, now)}</td>
                <td>
                  {t(`resources.stock.move.${one.kind}`)} {plain.format(one.quantity)}
                </td>
                <td>
                  {one.reason} <small>{one.by}</small>
                </td>
                <td className="number">{plain.format(one.left)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {may && (
        <section className="sheet-section">
          <HoldButton label={t("resources.stock.remove")} disabled={busy} onHeld={() => void act(() => removeStock(item)).then((done) => done && onClose())} />
        </section>
      )}
    </aside>
  );
}

function NewStock({ onClose }: { onClose: () => void }) {
  const { data: facilities = [] } = useFacilities();
  const mayAll = useMay("facility.update");
  const { person } = useSession();
  const [facility, setFacility] = useState<string | null>(null);
  const [item, setItem] = useState("");
  const [unit, setUnit] = useState("");
  const [quantity, setQuantity] = useState<number | string>(0);
  const [minimum, setMinimum] = useState<number | string>(0);
  const { busy, failure, act } = useAct();
  const where = facilities.filter(({ properties }) => properties.kind !== "hydrant" && properties.kind !== "camera" && (mayAll || properties.organization_id === person.organization.id));
  const add = () => void act(() => addStock({ facility_id: facility, item, unit, quantity: Number(quantity) || 0, minimum: Number(minimum) || 0 })).then((made) => made && onClose());
  return (
    <Modal opened onClose={onClose} title={t("resources.stock.new")} closeButtonProps={{ "aria-label": t("resources.close") }}>
      <form
        className="sheet-grid"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextInput data-autofocus required maxLength={200} label={t("resources.stock.item")} value={item} onChange={(event) => setItem(event.currentTarget.value)} />
        <TextInput required maxLength={200} label={t("resources.stock.unit")} placeholder={t("resources.stock.unitHint")} value={unit} onChange={(event) => setUnit(event.currentTarget.value)} />
        <NumberInput min={0} max={1_000_000} decimalScale={2} decimalSeparator="," hideControls label={t("resources.stock.quantity")} value={quantity} onChange={setQuantity} />
        <NumberInput min={0} max={1_000_000} decimalScale={2} decimalSeparator="," hideControls label={t("resources.stock.minimum")} value={minimum} onChange={setMinimum} />
        <Select className="wide" required searchable label={t("resources.stock.facility")} data={where.map(({ id, properties }) => ({ value: id, label: properties.name }))} value={facility} onChange={setFacility} />
        <div className="sheet-buttons wide">
          <Button type="submit" loading={busy} disabled={!facility}>
            {t("resources.add")}
          </Button>
        </div>
        {failure && (
          <p className="form-failure wide" role="alert">
            {failure}
          </p>
        )}
      </form>
    </Modal>
  );
}
