import { CloseButton } from "@mantine/core";
import type { ReactNode } from "react";
import { t } from "../lib/i18n";
import { select } from "./desk";

export function CardHead({ mark, title, code, place, side, onClose }: { mark: ReactNode; title: string; code?: string; place?: ReactNode; side?: ReactNode; onClose?: () => void }) {
  return (
    <header className="card-head">
      <span className="card-mark">{mark}</span>
      <div className="card-title">
        <h2>{title}</h2>
        {code && <span className="card-code">{code}</span>}
        {place && <p className="card-place">{place}</p>}
      </div>
      {side && <div className="card-side">{side}</div>}
      <CloseButton aria-label={t("card.close")} onClick={onClose ?? (() => select(null))} />
    </header>
  );
}
