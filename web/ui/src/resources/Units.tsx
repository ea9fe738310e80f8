import { Button, Modal, Select, TextInput } from "@mantine/core";
import { IconDownload, IconFileImport, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { t, word } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { addUnit, EXPORT, reinstateUnit, useCrews, useOrganizations, useRetired, useVehicles } from "../lib/resources";
import { useMay, useSession } from "../lib/session";
import { UnitPill } from "../lib/ui/UnitPill";
import { Import } from "./Import";
import { KINDS } from "./kinds";
import { Papers } from "./papers";
import "./resources.css";
import { UnitSheet } from "./UnitSheet";

const plain = (words: string): string => words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const SELECTED = "movil";
const chosen = (): string | null => new URLSearchParams(location.search).get(SELECTED);

/** The units: what they are, what they can do, what they drive and carry. */
export function Units() {
  useBoard();
  const may = useMay("unit.manage");
  const vehicles = useVehicles(may);
  const crews = useCrews();
  const [filter, setFilter] = useState("");
  const [kind, setKind] = useState<string | null>(null);
  const [selected, setSelected] = useState(chosen);
  const [dialog, setDialog] = useState<"new" | "import" | "retired" | null>(null);
  const byUnit = new Map(vehicles.map((vehicle) => [vehicle.unit_id, vehicle]));
  const words = plain(filter.trim()).split(/\s+/).filter(Boolean);
  const all = board.units();
  const shown = all
    .filter((unit) => !kind || unit.kind === kind)
    .filter((unit) => {
      const vehicle = byUnit.get(unit.id);
      const said = plain([unit.call_sign, word("kind", unit.kind), unit.organization, unit.base, unit.home_zone, vehicle?.plate, word("unit", unit.status), ...unit.capabilities].join(" "));
      return words.every((each) => said.includes(each));
    })
    .sort((a, b) => a.call_sign.localeCompare(b.call_sign, "es", { numeric: true }));
  const unit = all.find(({ id }) => id === selected);
  const select = (id: string | null) => {
    setSelected(id);
    history.replaceState(null, "", id ? `?ver=moviles&${SELECTED}=${id}` : "?ver=moviles");
  };
  return (
    <div className={unit ? "split split-open" : "split"}>
      <section className="split-list">
        <div className="book-tools">
          <TextInput size="sm" className="book-filter" placeholder={t("resources.unit.filter")} aria-label={t("resources.unit.filter")} value={filter} onChange={(event) => setFilter(event.currentTarget.value)} />
          <Select size="sm" clearable placeholder={t("resources.unit.anyKind")} aria-label={t("resources.unit.kind")} data={KINDS.map((each) => ({ value: each, label: word("kind", each) }))} value={kind} onChange={setKind} />
          <span className="top-spacer" />
          {may && (
            <>
              <Button size="sm" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog("new")}>
                {t("resources.unit.new")}
              </Button>
              <Button size="sm" variant="default" leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setDialog("import")}>
                {t("resources.unit.import")}
              </Button>
              <Button size="sm" variant="default" component="a" href={EXPORT} download leftSection={<IconDownload size={16} aria-hidden />}>
                {t("resources.unit.export")}
              </Button>
              <Button size="sm" variant="subtle" onClick={() => setDialog("retired")}>
                {t("resources.unit.retiredOnes")}
              </Button>
            </>
          )}
        </div>
        <p className="book-count" role="status">
          {t("resources.unit.count", { count: shown.length })}
        </p>
        {shown.length === 0 ? (
          <p className="book-empty">{all.length === 0 ? t("resources.unit.nobody") : t("resources.unit.noMatch")}</p>
        ) : (
          <table className="book book-rows">
            <thead>
              <tr>
                <th>{t("resources.unit.callSign")}</th>
                <th>{t("resources.unit.kind")}</th>
                <th>{t("resources.unit.capabilities")}</th>
                <th className="wide-only">{t("resources.unit.base")}</th>
                <th className="wide-only">{t("resources.unit.homeZone")}</th>
                {crews.size > 0 && <th className="number">{t("resources.unit.crew")}</th>}
                {may && <th>{t("resources.vehicle.title")}</th>}
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => {
                const vehicle = byUnit.get(one.id);
                return (
                  <tr key={one.id} aria-selected={one.id === selected} onClick={() => select(one.id)}>
                    <td>
                      <button type="button" className="row-button" onClick={() => select(one.id)}>
                        <UnitPill status={one.status} /> {one.call_sign}
                      </button>
                    </td>
                    <td>{word("kind", one.kind)}</td>
                    <td>
                      <span className="chips">
                        {one.capabilities.map((code) => (
                          <span key={code} className="chip">
                            {code}
                          </span>
                        ))}
                      </span>
                    </td>
                    <td className="wide-only">{one.base}</td>
                    <td className="wide-only">{one.home_zone}</td>
                    {crews.size > 0 && <td className="number">{crews.get(one.id)?.people.length ?? 0}</td>}
                    {may && (
                      <td>
                        {vehicle?.plate} {vehicle && <Papers gaps={vehicle.gaps} />}
                      </td>
                    )}
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </section>
      {unit && <UnitSheet key={unit.id} unit={unit} onClose={() => select(null)} />}
      {dialog === "import" && <Import onClose={() => setDialog(null)} />}
      {dialog === "new" && (
        <NewUnit
          onClose={(id) => {
            setDialog(null);
            if (id) select(id);
          }}
        />
      )}
      {dialog === "retired" && <Retired onClose={() => setDialog(null)} />}
    </div>
  );
}

function NewUnit({ onClose }: { onClose: (id: string | null) => void }) {
  const { person } = useSession();
  const organizations = useOrganizations();
  const [id] = useState(newId);
  const [callSign, setCallSign] = useState("");
  const [kind, setKind] = useState<string | null>("patrol");
  const [organization, setOrganization] = useState<string | null>(person.organization.id);
  const { busy, failure, act } = useAct();
  const add = () => {
    if (kind && organization) void act(() => addUnit({ id, call_sign: callSign, kind, organization_id: organization })).then((made) => made && onClose(made.id));
  };
  return (
    <Modal opened onClose={() => onClose(null)} title={t("resources.unit.new")} closeButtonProps={{ "aria-label": t("resources.close") }}>
      <form
        className="sheet-grid"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <TextInput data-autofocus required maxLength={20} label={t("resources.unit.callSign")} value={callSign} onChange={(event) => setCallSign(event.currentTarget.value)} />
        <Select required allowDeselect={false} label={t("resources.unit.kind")} data={KINDS.map((each) => ({ value: each, label: word("kind", each) }))} value={kind} onChange={setKind} />
        <Select className="wide" required searchable allowDeselect={false} label={t("resources.unit.organization")} data={organizations.map(({ id: value, name }) => ({ value, label: name }))} value={organization} onChange={setOrganization} />
        <div className="sheet-buttons wide">
          <Button type="submit" loading={busy} disabled={organizations.length === 0}>
            {t("resources.add")}
          </Button>
          <span className="hint">{t("resources.unit.newHint")}</span>
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

function Retired({ onClose }: { onClose: () => void }) {
  const { data = [] } = useRetired();
  const { busy, failure, act } = useAct();
  return (
    <Modal opened onClose={onClose} title={t("resources.unit.retiredOnes")} closeButtonProps={{ "aria-label": t("resources.close") }}>
      {data.length === 0 && <p className="hint">{t("resources.unit.noneRetired")}</p>}
      <ul className="plain-list">
        {data.map((unit) => (
          <li key={unit.id}>
            <strong>{unit.call_sign}</strong>
            <Button size="xs" variant="default" disabled={busy} onClick={() => void act(() => reinstateUnit(unit.id)).then((done) => done && onClose())}>
              {t("resources.unit.reinstate")}
            </Button>
          </li>
        ))}
      </ul>
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
    </Modal>
  );
}
