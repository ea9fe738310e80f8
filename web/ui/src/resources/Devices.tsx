import { Button, Checkbox, Modal, Select, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconBattery1, IconBattery2, IconBattery3, IconBattery4, IconPlus, IconQrcode } from "@tabler/icons-react";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { age, ago, stamp } from "../lib/format";
import { LOCALE, has, t, word } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { useRegister } from "../lib/registers";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { HoldButton } from "../lib/ui/HoldButton";
import { addDevice, amendDevice, deviceQuality, devices as readDevices, deviceToken, revokeDevice } from "../lib/verbs";
import { DEVICE_KINDS, type Device, type DeviceKind, type DevicePairing } from "../lib/wire";
import "./devices.css";

interface UnitName {
  id: string;
  call_sign: string;
}

/** A device that is silent for longer is worth a look. */
const SILENT = 10 * 60_000;
/** A clock that is off by more shows on the map as an old position, or as one of the future. */
const SKEWED = 30;
const BATTERY_LOW = 0.2;

/** What tells where units are, and how well. */
export function Devices() {
  const mayManage = useMay("device.manage");
  return mayManage ? <Book /> : <p className="devices-empty">{t("devices.notYours")}</p>;
}

function Book() {
  const now = useSecond();
  const edition = useRegister("devices");
  const queries = useQueryClient();
  const { data, isError, isPending, refetch } = useQuery({ queryKey: ["devices", edition], queryFn: readDevices, refetchInterval: 15_000, placeholderData: keepPreviousData });
  const [query, setQuery] = useState("");
  const [gone, setGone] = useState(false);
  const [adding, setAdding] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const [pairing, setPairing] = useState<(Device & DevicePairing) | null>(null);
  const refresh = () => void queries.invalidateQueries({ queryKey: ["devices"] });
  const all = data?.devices ?? [];
  const words = query.trim().toLocaleLowerCase("es");
  const shown = all.filter((one) => (gone || !one.revoked_at) && `${one.name} ${one.call_sign ?? ""} ${one.note}`.toLocaleLowerCase("es").includes(words));
  const chosen = all.find(({ id }) => id === open) ?? null;
  const revoked = all.filter(({ revoked_at }) => revoked_at).length;
  const silent = all.filter((one) => !one.revoked_at && one.unit_id && isSilent(one, now)).length;
  return (
    <div className="devices">
      <div className="devices-bar">
        <TextInput aria-label={t("devices.find")} placeholder={t("devices.find")} value={query} onChange={(event) => setQuery(event.currentTarget.value)} />
        {revoked > 0 && <Checkbox label={t("devices.showRevoked", { count: revoked })} checked={gone} onChange={(event) => setGone(event.currentTarget.checked)} />}
        <p className="devices-sum">
          {t("devices.count", { count: all.length - revoked })}
          {silent > 0 && <b> · {t("devices.silentCount", { count: silent })}</b>}
        </p>
        <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
          {t("devices.new")}
        </Button>
      </div>
      {isError && (
        <p className="devices-empty form-failure" role="alert">
          {t("devices.failed")}{" "}
          <button type="button" className="link-button" onClick={() => void refetch()}>
            {t("action.retry")}
          </button>
        </p>
      )}
      {isPending && <p className="devices-empty">{t("page.loading")}</p>}
      {data && shown.length === 0 && <p className="devices-empty">{t(all.length === 0 ? "devices.none" : "devices.noneFound")}</p>}
      <ul className="devices-list">
        {shown.map((device) => (
          <Row key={device.id} device={device} now={now} onOpen={() => setOpen(device.id)} />
        ))}
      </ul>
      {shown.length > 0 && <Legend />}
      <Modal opened={adding} onClose={() => setAdding(false)} title={t("devices.new")} centered transitionProps={{ duration: 0 }}>
        <NewDevice
          units={data?.units ?? []}
          onDone={(made) => {
            setAdding(false);
            refresh();
            setPairing(made);
          }}
        />
      </Modal>
      <Modal opened={chosen !== null} onClose={() => setOpen(null)} title={chosen?.name} size="lg" centered transitionProps={{ duration: 0 }}>
        {chosen && <OneDevice key={chosen.id} device={chosen} units={data?.units ?? []} now={now} onChanged={refresh} onToken={setPairing} onClose={() => setOpen(null)} />}
      </Modal>
      <Modal opened={pairing !== null} onClose={() => setPairing(null)} title={t("devices.pairingTitle", { name: pairing?.name })} size="lg" centered transitionProps={{ duration: 0 }} closeOnClickOutside={false}>
        {pairing && <Pairing made={pairing} onClose={() => setPairing(null)} />}
      </Modal>
    </div>
  );
}

const isSilent = (device: Device, now: number): boolean => !device.last_seen_at || now - Date.parse(device.last_seen_at) > SILENT;

function Row({ device, now, onOpen }: { device: Device; now: number; onOpen: () => void }) {
  return (
    <li className={device.revoked_at ? "device device-revoked" : "device"}>
      <button type="button" onClick={onOpen}>
        <span className="device-name">
          <strong>{device.name}</strong>
          <small>
            {t(`devices.kind.${device.kind}`)}
            {device.note && ` · ${device.note}`}
          </small>
        </span>
        <span className="device-unit">{device.revoked_at ? t("devices.revoked") : (device.call_sign ?? t("devices.noUnit"))}</span>
        <Seen device={device} now={now} />
        <Battery level={device.battery} />
        <Bar counts={device.week} />
      </button>
    </li>
  );
}

function Seen({ device, now }: { device: Device; now: number }) {
  const seen = device.last_seen_at;
  if (!seen) return <span className="device-seen device-never">{t("devices.never")}</span>;
  const off = Math.abs(device.skew_s ?? 0) >= SKEWED;
  return (
    <span className={isSilent(device, now) ? "device-seen device-silent" : "device-seen"}>
      {ago(seen, now)}
      {off && (
        <small className="device-warn">
          <IconAlertTriangle size={14} aria-hidden /> {skewWords(device.skew_s ?? 0)}
        </small>
      )}
    </span>
  );
}

const skewWords = (seconds: number): string => t(seconds > 0 ? "devices.slow" : "devices.ahead", { age: age(Math.abs(seconds) * 1000) });

function Battery({ level }: { level: number | null }) {
  if (level === null) return <span className="device-battery device-never">{t("devices.noBattery")}</span>;
  const Icon = [IconBattery1, IconBattery2, IconBattery3, IconBattery4][Math.min(3, Math.floor(level * 4))] ?? IconBattery4;
  return (
    <span className={level <= BATTERY_LOW ? "device-battery device-warn" : "device-battery"}>
      <Icon size={18} aria-hidden /> {t("devices.percent", { n: Math.round(level * 100) })}
    </span>
  );
}

/** What became of what it said, in four parts that letters and textures tell apart too. */
const FATES = ["good", "settled", "doubted", "refused"] as const;
type Fate = (typeof FATES)[number];

/** `accepted` counts all that was kept; what was doubted of it is counted again under its own word. */
function fates(counts: Record<string, number>): Record<Fate, number> {
  const of = (...names: string[]) => names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const settled = of("jitter", "late");
  const doubted = of("teleport", "clock", "inaccurate", "coarse", "mock");
  const refused = Object.keys(counts).filter((name) => name.startsWith("refused."));
  return { good: Math.max(0, of("accepted") - settled - doubted), settled: settled + of("duplicate"), doubted, refused: of(...refused, "unpaired", "off_duty") };
}

function Bar({ counts }: { counts: Record<string, number> }) {
  const parts = fates(counts);
  const total = FATES.reduce((sum, fate) => sum + parts[fate], 0);
  if (total === 0) return <span className="device-bar device-never">{t("devices.nothingYet")}</span>;
  const said = FATES.filter((fate) => parts[fate] > 0).map((fate) => `${t(`devices.fate.${fate}`)}: ${number(parts[fate])}`).join(" · ");
  return (
    <span className="device-bar" title={said}>
      <span className="bar" role="img" aria-label={said}>
        {FATES.map((fate) => parts[fate] > 0 && <span key={fate} className={`bar-${fate}`} style={{ inlineSize: `${((100 * parts[fate]) / total).toFixed(2)}%` }} />)}
      </span>
      <small>{t("devices.goodShare", { n: Math.floor((100 * (parts.good + parts.settled)) / total), total: number(total) })}</small>
    </span>
  );
}

const number = (n: number): string => new Intl.NumberFormat(LOCALE).format(n);

function Legend() {
  return (
    <ul className="devices-legend">
      {FATES.map((fate) => (
        <li key={fate}>
          <span className={`bar-${fate}`} aria-hidden /> {t(`devices.fate.${fate}`)}: {t(`devices.fateWhy.${fate}`)}
        </li>
      ))}
    </ul>
  );
}

function NewDevice({ units, onDone }: { units: UnitName[]; onDone: (made: Device & DevicePairing) => void }) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<DeviceKind>("osmand");
  const [unit, setUnit] = useState<string | null>(null);
  const [note, setNote] = useState("");
  const id = useRef(newId());
  const { busy, failure, act } = useAct();
  const save = async () => {
    const made = await act(async () => {
      await addDevice({ id: id.current, name: name.trim(), kind, unit_id: unit, note: note.trim() });
      return deviceToken(id.current);
    });
    if (made) onDone(made);
  };
  return (
    <form
      className="device-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextInput label={t("devices.name")} placeholder={t("devices.nameHint")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={200} required data-autofocus />
      <Select label={t("devices.speaks")} data={DEVICE_KINDS.map((each) => ({ value: each, label: t(`devices.kind.${each}`) }))} value={kind} onChange={(next) => setKind((next as DeviceKind | null) ?? "osmand")} allowDeselect={false} />
      <UnitSelect units={units} value={unit} onChange={setUnit} />
      <TextInput label={t("devices.note")} value={note} onChange={(event) => setNote(event.currentTarget.value)} maxLength={2000} />
      {failure && <p className="form-failure" role="alert">{failure}</p>}
      <Button type="submit" loading={busy} disabled={!name.trim()}>
        {t("devices.make")}
      </Button>
    </form>
  );
}

function UnitSelect({ units, value, onChange }: { units: UnitName[]; value: string | null; onChange: (unit: string | null) => void }) {
  return <Select label={t("devices.unit")} placeholder={t("devices.noUnit")} searchable clearable data={units.map(({ id, call_sign }) => ({ value: id, label: call_sign }))} value={value} onChange={onChange} nothingFoundMessage={t("track.noUnit")} />;
}

interface OneProps {
  device: Device;
  units: UnitName[];
  now: number;
  onChanged: () => void;
  onToken: (made: Device & DevicePairing) => void;
  onClose: () => void;
}

function OneDevice({ device, units, now, onChanged, onToken, onClose }: OneProps) {
  const { busy, failure, act } = useAct();
  const { data } = useQuery({ queryKey: ["devices", "quality", device.id, device.version], queryFn: () => deviceQuality(device.id), refetchInterval: 15_000, placeholderData: keepPreviousData });
  const [name, setName] = useState(device.name);
  const [note, setNote] = useState(device.note);
  const change = async (field: "name" | "note" | "unit", body: object, said: string) => {
    if ((await act(() => amendDevice(device, field, body))) === null) return;
    onChanged();
    say(said);
  };
  const renew = async () => {
    const made = await act(() => deviceToken(device.id));
    if (!made) return;
    onChanged();
    onClose();
    onToken(made);
  };
  const revoke = async () => {
    if ((await act(() => revokeDevice(device))) === null) return;
    onChanged();
    onClose();
    say(t("devices.revokedNow", { name: device.name }));
  };
  return (
    <div className="device-form">
      {device.revoked_at ? (
        <p className="hint">{t("devices.revokedAt", { at: stamp(device.revoked_at, now) })}</p>
      ) : (
        <>
          <div className="device-fields">
            <TextInput label={t("devices.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} onBlur={() => name.trim() && name.trim() !== device.name && void change("name", { name: name.trim() }, t("devices.saved"))} maxLength={200} />
            <UnitSelect units={units} value={device.unit_id} onChange={(unit) => void change("unit", { unit_id: unit }, t(unit ? "devices.paired" : "devices.unpaired", { name: device.name }))} />
          </div>
          <TextInput label={t("devices.note")} value={note} onChange={(event) => setNote(event.currentTarget.value)} onBlur={() => note.trim() !== device.note && void change("note", { note: note.trim() }, t("devices.saved"))} maxLength={2000} />
          <div className="device-acts">
            <Button leftSection={<IconQrcode size={16} />} loading={busy} onClick={() => void renew()}>
              {t(device.tokens > 0 ? "devices.newToken" : "devices.firstToken")}
            </Button>
            {device.tokens > 0 && <p className="hint">{t(device.tokens > 1 ? "devices.twoTokens" : "devices.tokenHint")}</p>}
          </div>
          {failure && <p className="form-failure" role="alert">{failure}</p>}
        </>
      )}
      {device.skew_s !== null && Math.abs(device.skew_s) >= SKEWED && <p className="device-warn">{t("devices.skewLong", { words: skewWords(device.skew_s) })}</p>}
      <h3>{t("devices.days")}</h3>
      {data?.days.length === 0 && <p className="hint">{t("devices.nothingYet")}</p>}
      <ul className="device-days">
        {data?.days.map(({ day, counts }) => (
          <li key={day}>
            <span>{day.split("-").reverse().slice(0, 2).join("/")}</span>
            <Bar counts={counts} />
            <small>{Object.entries(counts).filter(([what]) => what !== "accepted").map(([what, count]) => `${countWord(what)}: ${number(count)}`).join(" · ")}</small>
          </li>
        ))}
      </ul>
      {data && data.pairings.length > 0 && (
        <>
          <h3>{t("devices.pairings")}</h3>
          <ul className="device-pairings">
            {data.pairings.map((one) => (
              <li key={one.since}>
                <b>{one.call_sign}</b> {stamp(one.since, now)} – {one.until ? stamp(one.until, now) : t("devices.untilNow")} <small>{one.made_by}</small>
              </li>
            ))}
          </ul>
        </>
      )}
      {!device.revoked_at && <HoldButton label={t("devices.revoke")} onHeld={() => void revoke()} disabled={busy} />}
    </div>
  );
}

const countWord = (what: string): string => {
  const [family, reason] = what.split(".");
  return family === "refused" ? t("devices.what.refused", { reason: has(`devices.reason.${reason ?? ""}`) ? word("devices.reason", reason ?? "") : reason }) : word("devices.what", what);
};

/** The token is shown this once; the picture holds it too. */
function Pairing({ made, onClose }: { made: Device & DevicePairing; onClose: () => void }) {
  return (
    <div className="pairing">
      <img className="pairing-qr" alt={t("devices.qr")} src={`data:image/svg+xml;utf8,${encodeURIComponent(made.qr.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))}`} />
      <div className="pairing-words">
        <p>{t(`devices.how.${made.kind}`)}</p>
        <dl>
          <dt>{t("devices.server")}</dt>
          <dd>{made.server}</dd>
          {made.identifier && (
            <>
              <dt>{t(made.kind === "osmand" ? "devices.identifier" : "devices.token")}</dt>
              <dd>{made.identifier}</dd>
            </>
          )}
          {made.broker && (
            <>
              <dt>{t("devices.broker")}</dt>
              <dd>{made.broker}</dd>
              <dt>{t("devices.topic")}</dt>
              <dd>{made.topic}</dd>
            </>
          )}
        </dl>
        <p className="device-warn">{t("devices.onlyOnce")}</p>
        <Button onClick={onClose}>{t("devices.written")}</Button>
      </div>
    </div>
  );
}
