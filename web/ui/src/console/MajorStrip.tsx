import "./major.css";
import { IconUrgent } from "@tabler/icons-react";
import { useEffect } from "react";
import { t } from "../lib/i18n";
import { useKey } from "../lib/keys";
import { board, useBoard } from "../lib/live";
import { sayFailed } from "../lib/toasts";
import { majorPerimeter, sectorShape } from "../lib/verbs";
import { desk, useDesk } from "./desk";
import { dropStroke, finishStroke, putCorner, putPenDown, takeCornerBack, takePen, usePen } from "./pen";

/** Which major incidents are open, and how many of their incidents this person sees; while an area is drawn, whose. */
export function MajorStrip() {
  useBoard();
  const area = useDesk((state) => state.area);
  const majors = board.majors();
  if (area) return <AreaPen key={area.sector ?? area.major} area={area} />;
  if (majors.length === 0) return null;
  const members = board.members();
  return (
    <nav className="major-strip" aria-label={t("majors.title")}>
      {majors.map(({ id, name, level }) => (
        <button key={id} type="button" onClick={() => desk.setState({ major: id })}>
          <IconUrgent size={17} aria-hidden />
          <strong>{t("majors.chip", { name })}</strong>
          <span>{t("majors.incidents", { count: members.filter(({ major_id }) => major_id === id).length })}</span>
          <span className="major-level">{t(`majors.level.${level}`)}</span>
        </button>
      ))}
    </nav>
  );
}

/** The board steps aside, the pen goes over the map, and comes back with what was drawn. */
function AreaPen({ area }: { area: { major: string; sector: string | null; name: string } }) {
  const mapReady = useDesk((state) => state.mapReady);
  const drawing = usePen((state) => state.tool !== null);
  const back = () => desk.setState({ area: null, major: area.major });
  useEffect(() => {
    if (!mapReady) return;
    takePen("polygon", (shape) => {
      const sent = area.sector ? sectorShape(area.major, area.sector, shape) : majorPerimeter(area.major, shape);
      void sent.catch(sayFailed).finally(() => desk.setState({ area: null, major: area.major }));
    });
    return putPenDown;
  }, [mapReady, area]);
  const leave = () => {
    if (!dropStroke()) back();
  };
  useKey("escape", leave);
  useKey("enter", finishStroke, drawing);
  useKey("backspace", takeCornerBack, drawing);
  useKey(" ", putCorner, drawing);
  return (
    <div className="major-strip" role="status">
      <IconUrgent size={17} aria-hidden />
      <strong>{t(area.sector ? "majors.drawingSector" : "majors.drawing", { name: area.name })}</strong>
      <button type="button" className="link-button" onClick={back}>
        {t("action.back")} <kbd>{"Esc"}</kbd>
      </button>
    </div>
  );
}
