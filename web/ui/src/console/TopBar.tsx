import { Menu, UnstyledButton } from "@mantine/core";
import { IconAdjustments, IconBellRinging, IconChevronDown, IconDeviceDesktop, IconDeviceTv, IconKeyboard, IconLogout, IconStorm, IconTransfer, IconUrgent } from "@tabler/icons-react";
import { clock } from "../lib/clock";
import { hourSeconds } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, present, useBoard, usePresent, usePresentSecond, useSecond } from "../lib/live";
import { useInPast } from "../lib/moment";
import { isOpen, isOverdue, isUnacknowledged } from "../lib/queue";
import { signOut, useMay, useSession } from "../lib/session";
import { DESKS } from "../lib/ui/DeskFrame";
import { LinkChip } from "../lib/ui/LinkState";
import { Logo } from "../lib/ui/Logo";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { ThemeButton } from "../lib/ui/ThemeButton";
import { CommandLine } from "./command/CommandLine";
import { WallsLost } from "./WallsLost";
import { desk } from "./desk";
import { LayoutSwitch } from "./layout/LayoutSwitch";
import { NewEdition } from "./NewEdition";
import { ReplayButton } from "./ReplayBar";

export function TopBar() {
  usePresent();
  const past = useInPast();
  const { person, city } = useSession();
  const mayStorm = useMay("storm.control");
  const maySteer = useMay("wall.steer");
  const mayReport = useMay("policy.edit");
  const mayHandOver = useMay("shift.hand_over");
  return (
    <header className="top-bar">
      <h1 className="product">
        <Logo />
        <strong>{t("product.name")}</strong>
        <span className="top-city">{city.name}</span>
      </h1>
      <CommandLine />
      {past && <span className="command-resting">{t("replay.rests.command")}</span>}
      <span className="top-spacer" />
      <Numbers />
      <LayoutSwitch />
      <ReplayButton />
      <WallsLost />
      <NewEdition />
      <LinkChip />
      <Clock />
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <UnstyledButton className="top-person">
            <span>
              <strong>{person.name}</strong>
              <small>{word("role", person.role)}</small>
            </span>
            <span className="visually-hidden">{t("top.menu")}</span>
            <IconChevronDown size={15} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconKeyboard size={16} />} rightSection={<kbd>{"?"}</kbd>} onClick={() => desk.setState({ help: true })}>
            {t("keys.title")}
          </Menu.Item>
          {maySteer && (
            <Menu.Item leftSection={<IconDeviceTv size={16} />} rightSection={<kbd>{"G W"}</kbd>} onClick={() => desk.setState({ sheet: "walls" })}>
              {t("walls.title")}
            </Menu.Item>
          )}
          {mayHandOver && (
            <Menu.Item leftSection={<IconTransfer size={16} />} rightSection={<kbd>{"G R"}</kbd>} disabled={past} title={past ? t("replay.refused") : undefined} onClick={() => desk.setState({ sheet: "handover" })}>
              {t("handover.title")}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconAdjustments size={16} />} onClick={() => desk.setState({ sheet: "preferences" })}>
            {t("prefs.title")}
          </Menu.Item>
          {mayReport && (
            <Menu.Item leftSection={<IconBellRinging size={16} />} onClick={() => desk.setState({ sheet: "alarmReport" })}>
              {t("alarmReport.title")}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconDeviceDesktop size={16} />} component="a" href="/pared" target="_blank">
            {t("wall.open")}
          </Menu.Item>
          <Menu.Item leftSection={<IconUrgent size={16} />} disabled={past} title={past ? t("replay.refused") : undefined} onClick={() => desk.setState({ major: "" })}>
            {t("majors.title")}
          </Menu.Item>
          {mayStorm && !present.storm() && (
            <Menu.Item leftSection={<IconStorm size={16} />} rightSection={<kbd>{"G S"}</kbd>} onClick={() => desk.setState({ storm: "begin" })}>
              {t("storm.begin")}
            </Menu.Item>
          )}
          <Menu.Divider />
          {DESKS.map((name) => (
            <Menu.Item key={name} component="a" href={`/${name}`}>
              {t(`desk.${name}`)}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
            {t("signIn.leave")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ThemeButton />
    </header>
  );
}

/** The four numbers a supervisor looks at first. */
function Numbers() {
  useBoard();
  const now = useSecond();
  const open = board.incidents().filter((incident) => !incident.masked && isOpen(incident));
  const unheard = open.filter(isUnacknowledged).length;
  const late = open.filter((incident) => isOverdue(incident, now)).length;
  return (
    <ul className="top-numbers" aria-label={t("top.numbers")}>
      <li>
        <PriorityMark level={1} size={20} />
        <b>{open.filter(({ priority }) => priority === 1).length}</b>
      </li>
      <li className={unheard > 0 ? "top-number-hot" : undefined}>
        <span>{t("top.unacknowledged")}</span>
        <b>{unheard}</b>
      </li>
      <li className={late > 0 ? "top-number-hot" : undefined}>
        <span>{t("top.overdue")}</span>
        <b>{late}</b>
      </li>
      <li>
        <span>{t("top.open")}</span>
        <b>{open.length}</b>
      </li>
    </ul>
  );
}

function Clock() {
  const now = usePresentSecond();
  const past = useInPast();
  const drift = Math.round(clock.drift() / 1000);
  return (
    <span className="top-clock">
      <time>{hourSeconds(now)}</time>
      {past && <small>{t("replay.clock")}</small>}
      {Math.abs(drift) > 2 && <small>{t("top.drift", { n: Math.abs(drift) })}</small>}
    </span>
  );
}
