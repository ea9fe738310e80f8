import { useEffect, useState, type ComponentType } from "react";
import { t } from "../i18n";

/** Which view of a desk is shown; it stands in the address (`?ver=`), so that it survives a reload and can be sent to somebody. */
export function useView(names: readonly string[]): [string, (name: string) => void] {
  const here = () => new URLSearchParams(location.search).get("ver") ?? "";
  const [view, setView] = useState(here);
  useEffect(() => {
    const follow = () => setView(here());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  const go = (name: string) => {
    history.pushState(null, "", `?ver=${name}`);
    setView(name);
  };
  return [names.includes(view) ? view : (names[0] ?? ""), go];
}

/** The views of a desk side by side; `family` is where their names are in the catalogue. */
export function DeskTabs({ family, views }: { family: string; views: Record<string, ComponentType> }) {
  const names = Object.keys(views);
  const [view, go] = useView(names);
  const View = views[view];
  return (
    <>
      <nav className="desk-tabs" aria-label={t(`${family}.title`)}>
        {names.map((name) => (
          <button key={name} type="button" aria-current={name === view ? "page" : undefined} onClick={() => go(name)}>
            {t(`${family}.${name}`)}
          </button>
        ))}
      </nav>
      {View && <View />}
    </>
  );
}
