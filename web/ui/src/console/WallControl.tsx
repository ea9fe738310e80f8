import "./walls.css";
import { Badge, Button, Checkbox, Modal, NumberInput, SegmentedControl, TextInput } from "@mantine/core";
import { IconDeviceTv, IconDeviceTvOff } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useDraftLine } from "../lib/drafts";
import { ago } from "../lib/format";
import { t } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { useMay } from "../lib/session";
import { say } from "../lib/toasts";
import { amendWall, brightenWall, calibrateWall, centreWall, inchesOf, letterFor, linkOf, makeWall, reloadWall, renewWall, revokeWall, showOnWall, VIEWS, walls, type WallRecord, type WallView } from "../lib/walls";
import { desk, stage, useDesk } from "./desk";
import { useAct } from "./useAct";

const AGAIN = 5_000;
const LOST_AFTER = 30_000;
const BRIGHTNESS = [1, 0.8, 0.6, 0.4];

/** `G W`: every wall, how it is, and a hand on it. */
export function WallControl() {
  const may = useMay("wall.steer");
  const mayManage = useMay("wall.manage");
  const open = useDesk((state) => state.sheet === "walls");
  const queries = useQueryClient();
  const revision = useBoard();
  const live = board.walls();
  const versions = live.map(({ version }) => version).join();
  const { data, isError } = useQuery({ queryKey: ["walls", versions], queryFn: walls, enabled: open, refetchInterval: AGAIN, placeholderData: (before) => before });
  void revision;
  const { busy, failure, act } = useAct();
  const [name, setName, discard] = useDraftLine("wall:new");
  const make = () =>
    act(async () => {
      await makeWall(name.trim(), VIEWS);
      discard();
      await queries.invalidateQueries({ queryKey: ["walls"] });
    });
  return (
    <Modal opened={open && may} onClose={() => desk.setState({ sheet: null })} title={t("walls.title")} size="xl" transitionProps={{ duration: 0 }} closeButtonProps={{ "aria-label": t("action.close") }}>
      {isError && <p role="alert">{t("walls.failed")}</p>}
      {data?.length === 0 && <p>{t("walls.none")}</p>}
      <ul className="walls">
        {data?.map((wall) => <OneWall key={wall.id} wall={wall} mayManage={mayManage} />)}
      </ul>
      {mayManage && (
        <form
          className="walls-make"
          onSubmit={(event) => {
            event.preventDefault();
            void make();
          }}
        >
          <TextInput label={t("walls.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={100} />
          <Button type="submit" variant="default" loading={busy} disabled={!name.trim()}>
            {t("walls.make")}
          </Button>
        </form>
      )}
      {failure && <p role="alert">{failure}</p>}
    </Modal>
  );
}

function OneWall({ wall, mayManage }: { wall: WallRecord; mayManage: boolean }) {
  const now = useSecond();
  const queries = useQueryClient();
  const selected = useDesk((state) => (state.major ? `major:${state.major}` : state.selected));
  const { busy, failure, act } = useAct();
  const [link, setLink] = useState<string | null>(null);
  const [name, setName] = useState<string | null>(null);
  const [calibrating, setCalibrating] = useState(false);
  const about = selected && /^(incident|major):/.test(selected) ? selected : null;
  const heardAt = wall.heard_at ? Date.parse(wall.heard_at) : null;
  const mute = wall.silent || (heardAt !== null && now - heardAt > LOST_AFTER);
  const run = (work: () => Promise<unknown>) =>
    void act(async () => {
      await work();
      await queries.invalidateQueries({ queryKey: ["walls"] });
    });
  const { heard } = wall;
  const facts = [
    heardAt === null ? t("walls.never") : t("walls.heard", { time: ago(heardAt, now) }),
    heard.view && t("walls.shows", { view: t(`walls.views.${heard.view}`) }),
    heard.width ? t("walls.panel", { width: heard.width, height: heard.height }) : null,
    heard.heap_mb ? t("walls.heap", { n: Math.round(heard.heap_mb) }) : null,
    heard.frame_age_s !== undefined && heard.frame_age_s !== null && heard.frame_age_s > 2 ? t("walls.frame", { n: Math.round(heard.frame_age_s) }) : null,
    heard.page ? t("walls.page", { page: heard.page }) : null,
  ];
  return (
    <li className="walls-one" aria-label={wall.name}>
      <div className="walls-head">
        {mute || wall.revoked ? <IconDeviceTvOff aria-hidden /> : <IconDeviceTv aria-hidden />}
        <strong>{wall.name}</strong>
        {wall.revoked ? <Badge variant="outline">{t("walls.revoked")}</Badge> : mute ? <Badge variant="outline">{t("walls.silent")}</Badge> : heardAt !== null && <span>{t("walls.alive")}</span>}
        <small>{facts.filter(Boolean).join(" · ")}</small>
      </div>
      <div className="walls-acts">
        <SegmentedControl
          aria-label={t("walls.show")}
          size="xs"
          value={wall.view}
          disabled={busy}
          data={wall.views.map((value) => ({ value, label: t(`walls.views.${value}`), disabled: value === "crisis" && !wall.about && !about }))}
          onChange={(next) => run(() => showOnWall(wall.id, next as WallView, next === "crisis" && about ? about : undefined))}
        />
        <Button size="compact-sm" variant="default" disabled={busy || !about || !wall.views.includes("crisis")} title={about ? undefined : t("walls.chooseFirst")} onClick={() => about && run(() => showOnWall(wall.id, "crisis", about))}>
          {t("walls.crisisOf")}
        </Button>
        <Button size="compact-sm" variant="default" disabled={busy || !stage.map} onClick={() => run(() => centreWall(wall.id, stage.map?.centre() ?? null, stage.map?.zoomLevel() ?? null))}>
          {t("walls.centre")}
        </Button>
        <Button size="compact-sm" variant="default" disabled={busy} onClick={() => run(() => centreWall(wall.id, null, null))}>
          {t("walls.whole")}
        </Button>
        <label className="walls-bright">
          {t("walls.brightness")}
          <select value={wall.brightness ?? ""} disabled={busy} onChange={(event) => run(() => brightenWall(wall.id, event.currentTarget.value ? Number(event.currentTarget.value) : null))}>
            <option value="">{t("walls.byHour")}</option>
            {BRIGHTNESS.map((value) => (
              <option key={value} value={value}>
                {t("walls.percent", { n: value * 100 })}
              </option>
            ))}
          </select>
        </label>
        <Button size="compact-sm" variant="default" disabled={busy} onClick={() => run(() => reloadWall(wall.id))}>
          {t("walls.reload")}
        </Button>
        <Button size="compact-sm" variant="default" aria-expanded={calibrating} onClick={() => setCalibrating(!calibrating)}>
          {t("walls.calibrate")}
        </Button>
        {mayManage && (
          <>
            <Button size="compact-sm" variant="default" disabled={busy} onClick={() => run(async () => setLink(linkOf(location.origin, wall, (await renewWall(wall.id)).token)))}>
              {t("walls.link")}
            </Button>
            <Button size="compact-sm" variant="default" disabled={busy || wall.revoked} onClick={() => run(() => revokeWall(wall.id))}>
              {t("walls.revoke")}
            </Button>
          </>
        )}
      </div>
      {link && (
        <p className="walls-link" role="status">
          <span>{t("walls.linkOnce")}</span> <code>{link}</code>
          <Button size="compact-sm" variant="default" onClick={() => void navigator.clipboard?.writeText(link).then(() => say(t("walls.copied")))}>
            {t("walls.copy")}
          </Button>
        </p>
      )}
      {calibrating && <Calibration wall={wall} busy={busy} run={run} />}
      {calibrating && mayManage && (
        <div className="walls-calibrate">
          <TextInput size="xs" label={t("walls.name")} value={name ?? wall.name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
          <Button size="compact-sm" variant="default" disabled={busy || !(name ?? "").trim() || name === wall.name} onClick={() => run(() => amendWall(wall.id, { name: (name ?? "").trim() }))}>
            {t("walls.rename")}
          </Button>
          {VIEWS.map((view) => (
            <Checkbox
              key={view}
              size="xs"
              label={t(`walls.views.${view}`)}
              checked={wall.views.includes(view)}
              disabled={busy || (wall.views.length === 1 && wall.views.includes(view))}
              onChange={({ currentTarget }) => run(() => amendWall(wall.id, { views: VIEWS.filter((one) => (one === view ? currentTarget.checked : wall.views.includes(one))) }))}
            />
          ))}
        </div>
      )}
      {failure && <p role="alert">{failure}</p>}
    </li>
  );
}

/** Diagonal and distance make the letter; who does not know the diagonal measures the ruler on the glass. */
function Calibration({ wall, busy, run }: { wall: WallRecord; busy: boolean; run: (work: () => Promise<unknown>) => void }) {
  const [inches, setInches] = useState<number | string>(wall.inches);
  const [metres, setMetres] = useState<number | string>(wall.metres);
  const [measured, setMeasured] = useState<number | string>("");
  const sizes = [Number(inches), Number(metres)] as const;
  const right = sizes[0] >= 10 && sizes[0] <= 300 && sizes[1] >= 0.5 && sizes[1] <= 40;
  return (
    <div className="walls-calibrate">
      <Button size="compact-sm" variant="default" aria-pressed={wall.ruler} disabled={busy} onClick={() => run(() => calibrateWall(wall.id, { ruler: !wall.ruler }))}>
        {t(wall.ruler ? "walls.rulerHide" : "walls.rulerShow")}
      </Button>
      <NumberInput
        size="xs"
        label={t("walls.measured")}
        value={measured}
        min={5}
        max={400}
        decimalScale={1}
        onChange={(value) => {
          setMeasured(value);
          if (Number(value) >= 5) setInches(Math.round(inchesOf(Number(value)) * 10) / 10);
        }}
      />
      <NumberInput size="xs" label={t("walls.inches")} value={inches} min={10} max={300} decimalScale={1} onChange={setInches} />
      <NumberInput size="xs" label={t("walls.metres")} value={metres} min={0.5} max={40} step={0.5} decimalScale={1} onChange={setMetres} />
      <Button size="compact-sm" disabled={busy || !right} onClick={() => run(() => calibrateWall(wall.id, { ruler: wall.ruler, inches: sizes[0], metres: sizes[1] }))}>
        {t("walls.save")}
      </Button>
      {right && <p>{t("walls.letter", { small: Math.round(letterFor(...sizes, 16)), urgent: Math.round(letterFor(...sizes, 20)) })}</p>}
    </div>
  );
}
