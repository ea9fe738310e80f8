import { Tooltip } from "@mantine/core";
import { IconAppWindow, IconDeviceTv, IconLayoutBottombar, IconMap, IconPhoneCall, IconRestore, IconUsersGroup, type Icon } from "@tabler/icons-react";
import { t } from "../../lib/i18n";
import { useKey } from "../../lib/keys";
import { useInPast } from "../../lib/moment";
import type { Layout } from "../../lib/layout";
import { LAYOUTS } from "../../lib/layout";
import { useDesk } from "../desk";
import { toggleApart } from "./apart";
import { setLayout, toggleFoot } from "./arrangement";
import { resetSizes } from "./DeskGrid";

const ICONS: Record<Layout, Icon> = { intake: IconPhoneCall, dispatch: IconMap, supervision: IconUsersGroup };
const KEYS: Record<Layout, string> = { intake: "F2", dispatch: "F3", supervision: "F4" };

const openWall = (): void => {
  window.open("/pared", "vigia-pared");
};

/** How the desk is arranged: three layouts, the foot, the map apart, the wall. */
export function LayoutSwitch() {
  const layout = useDesk((state) => state.layout);
  const foot = useDesk((state) => state.foot);
  const apart = useDesk((state) => state.apart);
  useKey("f2", () => setLayout("intake"));
  useKey("f3", () => setLayout("dispatch"));
  useKey("f4", () => setLayout("supervision"));
  useKey("f8", toggleFoot);
  const past = useInPast();
  useKey("f9", toggleApart, !past);
  useKey("f11", openWall);
  const tools: { name: string; stroke: string; icon: Icon; act: () => void; pressed?: boolean; rests?: boolean }[] = [
    { name: "foot", stroke: "F8", icon: IconLayoutBottombar, act: toggleFoot, pressed: foot },
    { name: "apart", stroke: "F9", icon: IconAppWindow, act: toggleApart, pressed: apart, rests: past },
    { name: "wall", stroke: "F11", icon: IconDeviceTv, act: openWall },
    { name: "reset", stroke: "", icon: IconRestore, act: resetSizes },
  ];
  return (
    <div className="layout-tools">
      <div className="layout-switch" role="group" aria-label={t("layout.title")}>
        {LAYOUTS.map((name) => {
          const Mark = ICONS[name];
          return (
            <Tooltip key={name} label={`${t(`layout.name.${name}`)} (${KEYS[name]})`}>
              <button type="button" aria-label={t(`layout.name.${name}`)} aria-keyshortcuts={KEYS[name]} aria-pressed={layout === name} onClick={() => setLayout(name)}>
                <Mark size={17} aria-hidden />
                <span className="layout-word">{t(`layout.name.${name}`)}</span>
              </button>
            </Tooltip>
          );
        })}
      </div>
      <div className="layout-switch" role="group" aria-label={t("layout.tools")}>
        {tools.map(({ name, stroke, icon: Mark, act, pressed, rests }) => (
          <Tooltip key={name} label={rests ? t("replay.rests.apart") : [t(`layout.${name}`), stroke && `(${stroke})`].filter(Boolean).join(" ")}>
            <button type="button" aria-label={t(`layout.${name}`)} aria-keyshortcuts={stroke || undefined} aria-pressed={pressed} aria-disabled={rests || undefined} onClick={rests ? undefined : act}>
              <Mark size={17} aria-hidden />
            </button>
          </Tooltip>
        ))}
      </div>
    </div>
  );
}

