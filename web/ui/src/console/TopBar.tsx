import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconDeviceDesktop, IconKeyboard, IconLogout, IconStorm, IconUrgent } from "@tabler/icons-react";
import { clock } from "../lib/clock";
import { hourSeconds } from "../lib/format";
import { t, word } from "../lib/i18n";
import { board, useBoard, useSecond } from "../lib/live";
import { isOpen, isOverdue, isUnacknowledged } from "../lib/queue";
import { signOut, useMay, useSession } from "../lib/session";
import { DESKS } from "../lib/ui/DeskFrame";
import { LinkChip } from "../lib/ui/LinkState";
import { Logo } from "../lib/ui/Logo";
import { PriorityMark } from "../lib/ui/PriorityMark";
import { ThemeButton } from "../lib/ui/ThemeButton";
import { desk } from "./desk";

export function TopBar() {
  useBoard();
  const { person, city } = useSession();
  const mayStorm = useMay("storm.control");
  return (
    <header className="top-bar">
      <span className="product">
        <Logo />
        <strong>{t("product.name")}</strong>
        <span className="top-city">{city.name}</span>
      </span>
      <Numbers />
      <span className="top-spacer" />
      <LinkChip />
      <Clock />
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <UnstyledButton className="top-person" aria-label={t("top.account", { name: person.name, role: word("role", person.role) })}>
            <span>
              <strong>{person.name}</strong>
              <small>{word("role", person.role)}</small>
            </span>
            <IconChevronDown size={15} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconKeyboard size={16} />} rightSection={<kbd>{"?"}</kbd>} onClick={() => desk.setState({ help: true })}>
            {t("keys.title")}
          </Menu.Item>
          <Menu.Item leftSection={<IconDeviceDesktop size={16} />} component="a" href="/pared" target="_blank">
            {t("wall.open")}
          </Menu.Item>
          <Menu.Item leftSection={<IconUrgent size={16} />} onClick={() => desk.setState({ major: "" })}>
            {t("majors.title")}
          </Menu.Item>
          {mayStorm && !board.storm() && (
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
  const now = useSecond();
  const drift = Math.round(clock.drift() / 1000);
  return (
    <span className="top-clock">
      <time>{hourSeconds(now)}</time>
      {Math.abs(drift) > 2 && <small>{t("top.drift", { n: Math.abs(drift) })}</small>}
    </span>
  );
}
