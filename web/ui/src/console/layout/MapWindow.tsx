import "../console.css";
import "./layout.css";
import { useEffect, useState } from "react";
import { t } from "../../lib/i18n";
import { useKey } from "../../lib/keys";
import { useLink } from "../../lib/live";
import { ExpiredDialog } from "../../lib/ui/ExpiredDialog";
import { Fence } from "../../lib/ui/Fence";
import { LinkChip, LinkStrip } from "../../lib/ui/LinkState";
import { Toasts } from "../../lib/ui/Toasts";
import { back } from "../desk";
import { MapPane } from "../MapPane";
import { followConsole } from "./apart";

/** The map alone, in a window of its own: it has its own feed and its own age, and looks at what the console looks at. */
export function MapWindow() {
  const link = useLink((state) => state.name);
  const [alone, setAlone] = useState(false);
  useEffect(() => followConsole((there) => setAlone(!there)), []);
  useEffect(() => {
    document.title = t("layout.windowTitle");
  }, []);
  useKey("escape", back);
  useKey("f9", () => window.close());
  return (
    <div className={`console map-window console-${link}`}>
      <header className="map-window-bar">
        <strong>{t("layout.windowTitle")}</strong>
        <span role="status" className="map-window-alone">
          {alone && t("layout.alone")}
        </span>
        <LinkChip />
        <button type="button" className="link-button" onClick={() => window.close()}>
          {t("layout.bringBack")} <kbd>{"F9"}</kbd>
        </button>
      </header>
      <div className="strips">
        <LinkStrip />
      </div>
      <main className="map-window-main">
        <Fence>
          <MapPane apart />
        </Fence>
      </main>
      <Toasts />
      <ExpiredDialog />
    </div>
  );
}
