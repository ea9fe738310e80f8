import { IconMap2 } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { t } from "../i18n";
import { useSession } from "../session";
import { ExpiredDialog } from "./ExpiredDialog";
import { Fence } from "./Fence";
import { LinkChip, LinkStrip } from "./LinkState";
import { Logo } from "./Logo";
import { ThemeButton } from "./ThemeButton";
import { Toasts } from "./Toasts";

/** The screens beside the console, in the order in which they are offered. */
export const DESKS = ["turnos", "recursos", "tarjetas"] as const;
export type DeskName = (typeof DESKS)[number];

/** What the desks beside the console share: where one is, the way back to the map, and whether what is shown is alive. */
export function DeskFrame({ desk, children }: { desk: DeskName; children: ReactNode }) {
  const { person, city } = useSession();
  return (
    <div className="desk-frame">
      <header className="desk-bar">
        <a className="product" href="/consola">
          <Logo />
          <strong>{t("product.name")}</strong>
          <span className="top-city">{city.name}</span>
        </a>
        <nav className="desk-nav" aria-label={t("desk.title")}>
          <a href="/consola">
            <IconMap2 size={16} aria-hidden /> {t("desk.console")}
          </a>
          {DESKS.map((name) => (
            <a key={name} href={`/${name}`} aria-current={name === desk ? "page" : undefined}>
              {t(`desk.${name}`)}
            </a>
          ))}
        </nav>
        <span className="top-spacer" />
        <LinkChip />
        <span className="desk-person">{person.name}</span>
        <ThemeButton />
      </header>
      <LinkStrip />
      <main className="desk-main">
        <Fence>{children}</Fence>
      </main>
      <Toasts />
      <ExpiredDialog />
    </div>
  );
}
